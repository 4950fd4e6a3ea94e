import { execute } from "#kernel/launch.ts"
import { PidHandle } from "#kernel/process.ts"
import { LinkspanError } from "#model/errors.ts"
import { accept } from "#model/field.ts"
import { checkExec } from "#model/validate-run.ts"
import { findSandbox } from "./find.ts"
import type { Host } from "./host.ts"
import { summarize } from "./inspect-container.ts"
import type { ExecRequest, Running } from "./linkspan.ts"
import { runningOf } from "./running.ts"

/** Runs one more command in a container that linkspan runs, on the caller's streams. */
export function exec(host: Host, nameOrId: string, request: ExecRequest): Running {
  const title = `run a command in container "${nameOrId}"`
  const wanted = accept(`Cannot ${title}`, checkExec(request))
  const { body: sandbox } = findSandbox(host, title, nameOrId)
  const { process } = sandbox
  if (process === undefined) {
    throw new LinkspanError("NOT_SUPPORTED", {
      message: `Cannot ${title}: linkspan does not run it, it is only attached`,
      hint: `Enter its network with: nsenter --net=${sandbox.place?.kind === "path" ? sandbox.place.path : `/proc/${sandbox.place?.pid}/ns/net`} COMMAND`,
    })
  }
  using init = PidHandle.open(process.pid, { startTime: process.startTime })
  if (init === undefined || init.hasEnded()) {
    throw new LinkspanError("CONTAINER_NOT_RUNNING", {
      message: `Cannot ${title}: it is not running`,
      hint: "List the containers with: linkspan ps --all",
    })
  }
  const child = execute(wanted, init)
  return runningOf(summarize(host, sandbox), child, child.exited())
}
