// The plan of a container's first process (struct plan in native.c) as bytes: what `init` does itself, and what the
// process does that becomes the command. The same bytes come back when the command could not be started.

import { type Call, layOut, listBytes, resultsOf } from "./call-list.ts"
import { PLAN_ADDRESS } from "./elf.ts"
import { SystemCallError } from "./syscall.ts"

export interface InitLog {
  /** What the command prints; must not block. */
  readonly pipeFd: number
  readonly headFd: number
  /** Of one part. */
  readonly maxBytes: number
  /** Descriptors of the files, at most ten. */
  readonly parts: readonly number[]
}

export interface InitPlan {
  /** Where the exit status is written to; -1 for nowhere. */
  readonly statusFd: number
  /** Where the plan is written to when the command could not be started. */
  readonly reportFd: number
  /** Absent: the command prints to somebody else. */
  readonly log?: InitLog
  readonly prepare: readonly Call[]
  /** Ends with execve(), one call for each place where the program may be. */
  readonly command: readonly Call[]
}

const MOST_LOG_FILES = 10
/** status_fd, report_fd, clone_error, size; and struct log */
const HEADER_BYTES = (4 + 4 + MOST_LOG_FILES) * 8
const CLONE_ERROR = 16

export function encodePlan(plan: InitPlan): Uint8Array {
  const data: Uint8Array[] = []
  let end = HEADER_BYTES + listBytes(plan.prepare.length) + listBytes(plan.command.length)
  const place = (bytes: NodeJS.TypedArray): bigint => {
    const address = PLAN_ADDRESS + end
    const padded = new Uint8Array(Math.ceil(bytes.byteLength / 8) * 8)
    padded.set(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    data.push(padded)
    end += padded.length
    return BigInt(address)
  }
  const lists = [plan.prepare, plan.command].map((calls) => new Uint8Array(layOut(calls, place).buffer))
  const header = new BigInt64Array(HEADER_BYTES / 8)
  header.set([plan.statusFd, plan.reportFd, 0, end, ...logWords(plan.log)].map(BigInt))
  return Buffer.concat([new Uint8Array(header.buffer), ...lists, ...data])
}

function logWords(log: InitLog | undefined): number[] {
  return log === undefined ? [-1] : [log.pipeFd, log.headFd, log.maxBytes, log.parts.length, ...log.parts]
}

/** What each call of the command's process returned. @throws SystemCallError for the first failure that matters */
export function readReport(plan: InitPlan, report: Uint8Array): number[] {
  const bytes = report.slice()
  const cloneError = Number(new DataView(bytes.buffer).getBigInt64(CLONE_ERROR, true))
  if (cloneError < 0) {
    throw new SystemCallError("clone", -cloneError)
  }
  const at = HEADER_BYTES + listBytes(plan.prepare.length)
  return resultsOf(plan.command, new BigInt64Array(bytes.buffer, at, listBytes(plan.command.length) / 8))
}
