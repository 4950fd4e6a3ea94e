// linkspan called as a CNI runtime calls it: variables, a document on standard input, one process a verb.

import { join } from "node:path"
import type { Host } from "../host.ts"
import { type Ran, run, toolEnvironment } from "../run.ts"

export interface Call {
  readonly id?: string
  readonly ifname?: string
  readonly netns?: string
  readonly args?: string
  /** Where other plugins are. */
  readonly path?: string
  /** Ends it by SIGKILL then, whatever it is at; its status is 137. */
  readonly killAfterMs?: number
  /** Another state than the host's. */
  readonly stateDir?: string
  /** Another plugin than linkspan. */
  readonly program?: string | readonly string[]
}

export const PROGRAM = [process.execPath, "--no-env-file", join(import.meta.dir, "../../src/main.ts"), "__cni"]

export const CONFLIST = {
  cniVersion: "1.1.0",
  name: "lab",
  type: "linkspan",
  bridge: "cni0",
  isGateway: true,
  isDefaultGateway: true,
  ipMasq: true,
  ipam: { ranges: [[{ subnet: "10.77.1.0/24" }], [{ subnet: "fd77::/64" }]] },
}

export function plugin(host: Host, command: string, config: object, call: Call = {}): Promise<Ran> {
  const { id = "c1", ifname = "eth0", netns = "", args = "", path = "/usr/lib/cni", killAfterMs } = call
  const program = typeof call.program === "string" ? [call.program] : (call.program ?? PROGRAM)
  const env = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: id,
    CNI_IFNAME: ifname,
    CNI_NETNS: netns,
    CNI_ARGS: args,
    CNI_PATH: path,
    LINKSPAN_STATE_DIR: call.stateDir ?? host.stateDir,
    LINKSPAN_RUN_DIR: host.runDir,
  }
  const limit = killAfterMs === undefined ? [] : ["timeout", "--signal=KILL", String(killAfterMs / 1000)]
  return run(host.enter([...limit, ...program]), {
    env: { ...toolEnvironment(), ...env },
    input: JSON.stringify(config),
  })
}

export const ports = (...portMappings: object[]) => ({ runtimeConfig: { portMappings } })
