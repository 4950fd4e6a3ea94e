import { constants } from "node:os"
import { PidHandle } from "#kernel/process.ts"
import { LinkspanError } from "#model/errors.ts"
import { nearest } from "#model/nearest.ts"
import type { ContainerSummary } from "#model/view.ts"
import { findSandbox } from "./find.ts"
import type { Host } from "./host.ts"
import { summarize } from "./inspect-container.ts"
import type { StopOptions } from "./linkspan.ts"
import { removeContainer } from "./remove-container.ts"
import { staleSandboxes, sweep } from "./sweep.ts"

const DEFAULT_TIMEOUT_MS = 10_000
const SIGKILL = 9

/** Asks the container's command to end, and ends it when it does not. What it held is free again afterwards. */
export async function stop(host: Host, nameOrId: string, options: StopOptions): Promise<ContainerSummary> {
  const title = `stop container "${nameOrId}"`
  const { body: sandbox } = findSandbox(host, title, nameOrId)
  const { process } = sandbox
  if (process === undefined) {
    throw new LinkspanError("NOT_SUPPORTED", {
      message: `Cannot ${title}: linkspan does not run it, it is only attached`,
      hint: `Take it off its networks with: linkspan detach ${sandbox.name}`,
    })
  }
  const signal = signalNumber(title, options.signal ?? "SIGTERM")
  using handle = PidHandle.open(process.pid, { startTime: process.startTime })
  if (handle === undefined || handle.hasEnded()) {
    throw new LinkspanError("CONTAINER_NOT_RUNNING", {
      message: `Cannot ${title}: it is not running`,
      hint: `Remove it with: linkspan rm ${sandbox.name}`,
    })
  }
  handle.signal(signal)
  await Promise.race([handle.ended(), Bun.sleep(options.timeoutMs ?? DEFAULT_TIMEOUT_MS)])
  if (!handle.hasEnded()) {
    handle.signal(SIGKILL)
    await handle.ended()
  }
  const stopped = summarize(host, sandbox)
  if (process.autoRemove) {
    if (host.store.sandbox(sandbox.id) !== undefined) {
      removeContainer(host, sandbox.id, { force: true })
    }
  } else {
    sweep(
      host,
      staleSandboxes(host)
        .filter(({ id }) => id === sandbox.id)
        .map(({ id }) => id),
    )
  }
  return stopped
}

/** "SIGTERM", "TERM" or "15". */
function signalNumber(title: string, text: string): number {
  const known = constants.signals as Readonly<Record<string, number>>
  const name = text.toUpperCase().replace(/^(SIG)?/, "SIG")
  const number = /^[0-9]+$/.test(text) ? Number(text) : known[name]
  if (number === undefined || number < 1 || number > 64) {
    const similar = nearest(name, Object.keys(known))
    throw new LinkspanError("INVALID_REQUEST", {
      message: `Cannot ${title}`,
      issues: [
        {
          path: "signal",
          message: `"${text}" is no signal${similar === undefined ? "" : `; did you mean "${similar}"?`}`,
        },
      ],
    })
  }
  return number
}
