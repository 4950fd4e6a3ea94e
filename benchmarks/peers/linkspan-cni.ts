// linkspan as a CNI plugin, called as a runtime calls it. The network is there already, as the chain's bridge is: a
// container that stays keeps it.

import { CONTAINER_PORT, type Contender, hostPort, type Start } from "../contender.ts"
import { run, timed } from "../lab.ts"
import { RATES } from "./cni.ts"

const PROGRAM = process.env["LINKSPAN_BENCH_EXECUTABLE"] ?? "linkspan"
const KEEPER = "keeper"

const PLUGIN = {
  cniVersion: "1.0.0",
  name: "bench",
  type: "linkspan",
  bridge: "cni0",
  isGateway: true,
  ipMasq: true,
  ipam: { ranges: [[{ subnet: "10.77.0.0/16" }]], routes: [{ dst: "0.0.0.0/0" }] },
  ...RATES,
}

export const start: Start = async ({ dir, namespaces }) => {
  async function plugin(command: string, id: string, netns: string, portMappings: readonly object[] = []) {
    return timed({
      cmd: [PROGRAM, "__cni"],
      stdin: JSON.stringify({ ...PLUGIN, runtimeConfig: { portMappings } }),
      env: {
        LINKSPAN_STATE_DIR: dir,
        CNI_COMMAND: command,
        CNI_CONTAINERID: id,
        CNI_NETNS: netns,
        CNI_IFNAME: "eth0",
        CNI_PATH: "/usr/lib/cni",
      },
    })
  }
  const one = (command: string) => async (n: number) => {
    const port = { hostPort: hostPort(n), containerPort: CONTAINER_PORT, protocol: "tcp" }
    return (await plugin(command, `bench-${n}`, namespaces[n] ?? "", [port])).ms
  }
  await run("ip", "netns", "add", KEEPER)
  await plugin("ADD", KEEPER, `/run/netns/${KEEPER}`)
  const contender: Contender = {
    version: (await run(PROGRAM, "--version")).trim(),
    attach: one("ADD"),
    detach: one("DEL"),
    extra: { version: async () => (await plugin("VERSION", "", "")).ms },
    async close() {
      await plugin("DEL", KEEPER, "")
      await run("ip", "netns", "delete", KEEPER)
    },
  }
  return contender
}
