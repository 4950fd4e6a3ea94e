// Names by dockerd's embedded resolver, at 127.0.0.11 inside a container. As many names as there would be containers are
// aliases of a second one: a thousand containers of dockerd's would take longer than all the rest of the bench.

import type { Start } from "../contender.ts"
import { asking, serveOutside } from "../names.ts"
import { api, dockerVersion, IMAGE, SLEEP, startDockerd } from "./docker-daemon.ts"

const NETWORK = "bench-net"

export const start: Start = async ({ dir, namespaces }) => {
  await serveOutside(dir)
  const daemon = await startDockerd(dir, ["setsid"])
  const names = Array.from({ length: namespaces.length - 1 }, (_, n) => `c${n}`)
  await api("POST", "/networks/create", { Name: NETWORK, IPAM: { Config: [{ Subnet: "10.73.0.0/16" }] } })
  for (const [container, Aliases] of [
    ["asks", []],
    ["answers", names],
  ] as const) {
    await api("POST", `/containers/create?name=${container}`, {
      Image: IMAGE,
      Cmd: SLEEP,
      HostConfig: { NetworkMode: NETWORK },
      NetworkingConfig: { EndpointsConfig: { [NETWORK]: { Aliases } } },
    })
    await api("POST", `/containers/${container}/start`)
  }
  const { State } = JSON.parse(await api("GET", "/containers/asks/json")) as { State: { readonly Pid: number } }
  return {
    version: await dockerVersion(),
    attach: () => Promise.resolve(0),
    detach: () => Promise.resolve(0),
    extra: await asking({ dir, from: `/proc/${State.Pid}/ns/net`, server: "127.0.0.11", names, pid: daemon.pid }),
    async close() {
      for (const container of ["asks", "answers"]) {
        await api("DELETE", `/containers/${container}?force=true`)
      }
      daemon.kill("SIGTERM")
      await daemon.exited
    },
  }
}
