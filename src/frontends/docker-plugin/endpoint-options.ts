// What `--driver-opt` says of one container's connection. It comes among Docker's own words about the endpoint, all of
// which begin alike.

import { LinkspanError } from "#model/errors.ts"
import type { Message } from "./message.ts"
import { DRIVER_OPTION } from "./network-request.ts"

const DOCKERS_OWN = "com.docker.network."
const ENDPOINT = `${DOCKERS_OWN}endpoint.`
const IFNAME = `${ENDPOINT}ifname`
const SYSCTLS = `${ENDPOINT}sysctls`

/** @throws LinkspanError NOT_SUPPORTED, with everything that nobody would obey */
export function refuseEndpointOptions(options: Message, isOld: boolean): void {
  const issues = Object.keys(options).flatMap((key) => {
    const message = reason(key, isOld)
    return message === undefined ? [] : [{ path: key, message }]
  })
  if (issues.length > 0) {
    throw new LinkspanError("NOT_SUPPORTED", { message: "Cannot create an endpoint", issues })
  }
}

function reason(key: string, isOld: boolean): string | undefined {
  switch (key) {
    case IFNAME:
      return `is not possible, since Docker names the interfaces of plugins' networks itself; choose the beginning of the name for the whole network with: docker network create -o ${DRIVER_OPTION.ifnamePrefix}=PREFIX`
    case SYSCTLS:
      // Docker's own to obey, whatever the driver, since version 27.
      return isOld ? "is not possible, since this version of Docker obeys it for no network; use --sysctl" : undefined
    default:
      return key.startsWith(DOCKERS_OWN) ? undefined : "is no option of an endpoint"
  }
}
