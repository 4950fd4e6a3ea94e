// The reference chain of Debian's containernetworking-plugins as a runtime executes it: bridge (with host-local) →
// portmap → firewall → bandwidth, one process each and in order, the previous plugin's result handed on (CNI spec 1.0).

import { CONTAINER_PORT, type Contender, hostPort, type Start } from "../contender.ts"
import { run, timed } from "../lab.ts"

const PLUGINS = "/usr/lib/cni"

type Json = Record<string, unknown>

/** In bits, above what a benchmark moves. */
export const RATES = { ingressRate: 1e9, ingressBurst: 1e7, egressRate: 1e9, egressBurst: 1e7 }

const CHAIN = (dataDir: string): readonly (Json & { type: string })[] => [
  {
    type: "bridge",
    bridge: "cni0",
    isGateway: true,
    ipMasq: true,
    hairpinMode: true,
    ipam: { type: "host-local", dataDir, ranges: [[{ subnet: "10.70.0.0/16" }]], routes: [{ dst: "0.0.0.0/0" }] },
  },
  { type: "portmap", capabilities: { portMappings: true } },
  { type: "firewall" },
  { type: "bandwidth", ...RATES },
]

export const start: Start = async ({ dir, namespaces }) => {
  const chain = CHAIN(`${dir}/leases`)
  const results = new Map<number, Json>()

  async function plugin(command: "ADD" | "DEL", n: number, conf: Json & { type: string }, prevResult?: Json) {
    const portMappings = [{ hostPort: hostPort(n), containerPort: CONTAINER_PORT, protocol: "tcp" }]
    return timed({
      cmd: [`${PLUGINS}/${conf.type}`],
      stdin: JSON.stringify({
        cniVersion: "1.0.0",
        name: "bench",
        ...conf,
        ...(conf.type === "portmap" ? { runtimeConfig: { portMappings } } : {}),
        ...(prevResult === undefined ? {} : { prevResult }),
      }),
      env: {
        CNI_COMMAND: command,
        CNI_CONTAINERID: `bench-${n}`,
        CNI_NETNS: namespaces[n] ?? "",
        CNI_IFNAME: "eth0",
        CNI_PATH: PLUGINS,
      },
    })
  }

  const contender: Contender = {
    version: (await run("dpkg-query", "-W", "containernetworking-plugins")).trim().replace("\t", " "),
    async attach(n) {
      const began = performance.now()
      let result: Json | undefined
      for (const conf of chain) {
        result = JSON.parse((await plugin("ADD", n, conf, result)).stdout) as Json
      }
      const ms = performance.now() - began
      results.set(n, result ?? {})
      return ms
    },
    async detach(n) {
      const began = performance.now()
      for (const conf of chain.toReversed()) {
        await plugin("DEL", n, conf, results.get(n))
      }
      return performance.now() - began
    },
    extra: {
      version: async () => {
        const env = { CNI_COMMAND: "VERSION", CNI_PATH: PLUGINS }
        return (await timed({ cmd: [`${PLUGINS}/bridge`], stdin: '{"cniVersion":"1.0.0"}', env })).ms
      },
    },
    async close() {},
  }
  return contender
}
