// What a runtime is told when something fails: a code that it can act on, one sentence, and what to do about it.
// Codes below 100 are the specification's (§ "Error") and libcni's; from 100 on they are linkspan's.

import { type ErrorCode, LinkspanError } from "#model/errors.ts"

export const CODES = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  badEnvironment: 4,
  ioFailure: 5,
  decodingFailure: 6,
  invalidConfig: 7,
  invalidNetns: 8,
  tryAgainLater: 11,
  unavailable: 50,
  limited: 51,
  differs: 100,
  inUse: 101,
  notPermitted: 102,
  refused: 103,
  delegateFailed: 104,
  internal: 999,
} as const

export class CniError extends Error {
  override readonly name = "CniError"
  readonly code: number
  readonly details: string | undefined

  constructor(code: number, message: string, options: { readonly details?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details
  }
}

const BY_ERROR: Readonly<Record<ErrorCode, number>> = {
  INVALID_REQUEST: CODES.invalidConfig,
  NETWORK_NOT_FOUND: CODES.invalidConfig,
  CONTAINER_NOT_FOUND: CODES.unknownContainer,
  ENDPOINT_NOT_FOUND: CODES.unknownContainer,
  POOL_NOT_FOUND: CODES.invalidConfig,
  PUBLICATION_NOT_FOUND: CODES.unknownContainer,
  // Nothing was made for it, and nothing needs to be removed.
  NETNS_NOT_FOUND: CODES.unknownContainer,
  LINK_NOT_FOUND: CODES.invalidConfig,
  COMMAND_NOT_FOUND: CODES.internal,
  COMMAND_NOT_EXECUTABLE: CODES.internal,
  NAME_IN_USE: CODES.inUse,
  ALREADY_CONNECTED: CODES.inUse,
  SUBNET_IN_USE: CODES.inUse,
  ADDRESS_IN_USE: CODES.inUse,
  MAC_IN_USE: CODES.inUse,
  PORT_IN_USE: CODES.inUse,
  LINK_EXISTS: CODES.inUse,
  NETNS_EXISTS: CODES.inUse,
  HOST_IN_USE: CODES.inUse,
  NETWORK_IN_USE: CODES.inUse,
  CONTAINER_RUNNING: CODES.inUse,
  CONTAINER_NOT_RUNNING: CODES.unknownContainer,
  BUSY: CODES.tryAgainLater,
  DAEMON_LOST: CODES.tryAgainLater,
  POOL_EXHAUSTED: CODES.tryAgainLater,
  NO_LEASE: CODES.tryAgainLater,
  NOT_PERMITTED: CODES.notPermitted,
  KERNEL_FEATURE_MISSING: CODES.refused,
  LIBRARY_MISSING: CODES.refused,
  NOT_SUPPORTED: CODES.unsupportedField,
  STATE_UNUSABLE: CODES.ioFailure,
  KERNEL_REFUSED: CODES.refused,
  CLEANUP_INCOMPLETE: CODES.tryAgainLater,
  INTERNAL: CODES.internal,
}

/** Codes that other parts of linkspan may add are internal here until they are given one. */
export function toCniError(error: unknown): CniError {
  if (error instanceof CniError) {
    return error
  }
  if (!(error instanceof LinkspanError)) {
    const message = error instanceof Error ? error.message : String(error)
    return new CniError(CODES.internal, `Internal error: ${message}`, { cause: error })
  }
  const isNetns = error.issues.some(({ path }) => path === "netns")
  const code = isNetns ? CODES.invalidNetns : BY_ERROR[error.code]
  const issues = error.issues.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
  const details = [...issues, ...(error.hint === undefined ? [] : [error.hint])].join("; ")
  return new CniError(code, error.message, { ...(details === "" ? {} : { details }), cause: error })
}

export function errorAnswer(error: CniError, cniVersion: string): string {
  return `${JSON.stringify({
    cniVersion,
    code: error.code,
    msg: error.message,
    ...(error.details === undefined ? {} : { details: error.details }),
  })}\n`
}
