// How much of a detached container's output is kept: the newest, in a few files of a certain size. Less is wasted the
// more files there are, since the eldest is dropped as a whole.

import { type Field, integerFrom, optional, readObject } from "./field.ts"
import type { LogLimitRequest } from "./request.ts"

export interface LogLimit {
  /** Bytes of one file. */
  readonly maxBytes: number
  readonly files: number
}

/** The directory of logs is usually in memory. */
export const DEFAULT_LOG_LIMIT: LogLimit = { maxBytes: 8 * 1024 * 1024, files: 2 }

const FIELDS = { maxBytes: true, files: true } as const satisfies Record<keyof LogLimitRequest, true>

const SMALLEST = 1024
const LARGEST = 2 ** 40
const MOST_FILES = 10

export function readLogLimit(field: Field): LogLimit | undefined {
  const fields = readObject(field, FIELDS)
  return fields === undefined
    ? undefined
    : {
        maxBytes: optional(fields.maxBytes, integerFrom(SMALLEST, LARGEST, " bytes")) ?? DEFAULT_LOG_LIMIT.maxBytes,
        files: optional(fields.files, integerFrom(1, MOST_FILES)) ?? DEFAULT_LOG_LIMIT.files,
      }
}
