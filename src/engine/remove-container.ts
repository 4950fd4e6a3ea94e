import { PidHandle } from "#kernel/process.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Sandbox } from "#model/sandbox.ts"
import type { Outcome } from "#model/view.ts"
import { planForget } from "./detach.ts"
import { findSandbox, settled } from "./find.ts"
import type { Host } from "./host.ts"
import type { MutationOptions } from "./linkspan.ts"
import { sweep } from "./sweep.ts"
import { carryOut } from "./transaction.ts"

const SIGKILL = 9
const KILL_WAIT_MS = 10_000

/** Forgets a container that linkspan ran, with its log; one that still runs only with `force`. */
export function removeContainer(
  host: Host,
  nameOrId: string,
  options: MutationOptions & { readonly force?: boolean },
): Outcome<{ id: string; name: string }> {
  const title = `remove container "${nameOrId}"`
  const killing: string[] = []
  const outcome = carryOut(
    host,
    options,
    () => {
      const sandbox = settled(findSandbox(host, title, nameOrId), `container "${nameOrId}"`)
      if (sandbox.process === undefined) {
        throw new LinkspanError("NOT_SUPPORTED", {
          message: `Cannot ${title}: linkspan does not run it, it is only attached`,
          hint: `Take it off its networks with: linkspan detach ${sandbox.name}`,
        })
      }
      if (host.isRunning(sandbox)) {
        if (options.force !== true) {
          throw new LinkspanError("CONTAINER_RUNNING", {
            message: `Cannot ${title}: it is running`,
            hint: `Stop it first with: linkspan stop ${sandbox.name}; or use --force`,
          })
        }
        killing.push(`kill -KILL ${sandbox.process.pid}`)
        if (options.dryRun !== true) {
          kill(title, sandbox)
        }
      }
      return {
        title,
        ...planForget(host, sandbox),
        intent: "remove" as const,
        result: () => ({ id: sandbox.id, name: sandbox.name }),
      }
    },
    sweep,
  )
  if (options.dryRun !== true) {
    host.forget(outcome.result.id)
  }
  return { ...outcome, plan: [...killing, ...outcome.plan] }
}

function kill(title: string, { process }: Sandbox): void {
  using handle = process === undefined ? undefined : PidHandle.open(process.pid, { startTime: process.startTime })
  if (handle === undefined) {
    return
  }
  handle.signal(SIGKILL)
  if (!handle.hasEnded(KILL_WAIT_MS)) {
    throw new LinkspanError("BUSY", {
      message: `Cannot ${title}: process ${handle.pid} does not end, it is stuck in the kernel`,
      hint: "Try again later",
    })
  }
}
