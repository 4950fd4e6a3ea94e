// The methods of Docker's IpamDriver: subnets and addresses, for linkspan's networks and for those of any other driver.

import type { LinkspanApi } from "#engine/linkspan.ts"
import { LinkspanError } from "#model/errors.ts"
import { isId } from "#model/name.ts"
import { type Answer, type Message, object, optionalText, text } from "./message.ts"
import type { Method } from "./network-driver.ts"

/** One for both: linkspan's pools are of one host. */
const ADDRESS_SPACE = "linkspan"
const GATEWAY = "com.docker.network.gateway"

export const IPAM_DRIVER: Readonly<Record<string, Method>> = {
  GetCapabilities: () => Promise.resolve({ RequiresMACAddress: false, RequiresRequestReplay: false }),
  GetDefaultAddressSpaces: () =>
    Promise.resolve({ LocalDefaultAddressSpace: ADDRESS_SPACE, GlobalDefaultAddressSpace: ADDRESS_SPACE }),
  RequestPool: requestPool,
  ReleasePool: async (linkspan, message) => {
    await linkspan.pools.release(text(message, "PoolID"))
    return {}
  },
  RequestAddress: requestAddress,
  ReleaseAddress: async (linkspan, message) => {
    const pool = text(message, "PoolID")
    // Of another form it is not one of linkspan's, and so gone for certain.
    if (isId(pool)) {
      await linkspan.pools.give({ pool, address: text(message, "Address") })
    }
    return {}
  },
}

/** A different one each time that none is named: Docker asks again while it does not like what it got. */
async function requestPool(linkspan: LinkspanApi, message: Message): Promise<Answer> {
  const unknown = Object.keys(object(message, "Options"))
  if (unknown.length > 0) {
    throw new LinkspanError("NOT_SUPPORTED", {
      message: `Cannot reserve a subnet: linkspan knows no IPAM option ${unknown.map((key) => `"${key}"`).join(", ")}`,
      hint: "Leave out --ipam-opt",
    })
  }
  const prefix = optionalText(message, "Pool")
  const range = optionalText(message, "SubPool")
  const pool = await linkspan.pools.reserve({
    family: message["V6"] === true ? 6 : 4,
    ...(prefix === undefined ? {} : { prefix }),
    ...(range === undefined ? {} : { range }),
  })
  return { PoolID: pool.id, Pool: pool.prefix, Data: {} }
}

async function requestAddress(linkspan: LinkspanApi, message: Message): Promise<Answer> {
  const address = optionalText(message, "Address")
  const isGateway = object(message, "Options")["RequestAddressType"] === GATEWAY
  const Address = await linkspan.pools.take({
    pool: text(message, "PoolID"),
    purpose: isGateway ? "gateway" : "container",
    ...(address === undefined ? {} : { address }),
  })
  return { Address, Data: {} }
}
