// The front ends of other packet filters (ufw, firewall-cmd) as programs: theirs is the only documented way in.

import { LinkspanError } from "#model/errors.ts"
import type { Host } from "../host.ts"
import type { Step } from "./integration.ts"

/** Whether the program is here, and acts on the host that linkspan acts on: it works in its own network namespace. */
export function hasFrontEnd(host: Host, program: string): boolean {
  return host.namespace.netns.isOwn && Bun.which(program) !== null
}

/** Whether there is something that can be taken back. @throws LinkspanError NOT_SUPPORTED when there is, but not from here */
export function isInstalled(host: Host, program: string): boolean {
  if (Bun.which(program) === null) {
    return false
  }
  if (!host.namespace.netns.isOwn) {
    throw new LinkspanError("NOT_SUPPORTED", {
      message: `Cannot take back what linkspan put into ${program}: linkspan runs in another network namespace`,
      hint: "Run linkspan inside the namespace of its host: nsenter --net=PATH linkspan firewall remove",
    })
  }
  return true
}

/** What the program printed; undefined when it failed and `mayFail`. @throws LinkspanError KERNEL_REFUSED with its words */
export function ask(command: readonly string[], options: { readonly mayFail?: boolean } = {}): string | undefined {
  const { success, stdout, stderr } = Bun.spawnSync([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  if (success) {
    return stdout.toString().trim()
  }
  if (options.mayFail === true) {
    return undefined
  }
  const said = (stderr.toString().trim() || stdout.toString().trim()).split("\n").at(-1) ?? ""
  throw new LinkspanError("KERNEL_REFUSED", {
    message: `Cannot change the firewall: ${command.join(" ")}: ${said || "failed without a word"}`,
    hint: "Run that command yourself to see more; everything before it was taken back",
    details: { command },
  })
}

export function step(command: readonly string[], undo?: readonly string[]): Step {
  return {
    line: command.join(" "),
    run: () => void ask(command),
    ...(undo === undefined ? {} : { undo: () => void ask(undo) }),
  }
}
