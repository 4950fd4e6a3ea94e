// Every answer that is not what was asked for: Docker's status codes and, where programs match on them, Docker's own
// words, with linkspan's reason behind them.

import { ERROR_CODES, type ErrorCode, type Issue, LinkspanError } from "#model/errors.ts"

/** An answer of {"message": …} with that status. */
export class Refusal extends Error {
  override readonly name = "Refusal"
  readonly status: number

  constructor(status: number, message: string, options?: { readonly cause: unknown }) {
    super(message, options)
    this.status = status
  }
}

/** Where Docker's status for it is another than linkspan's own API would give. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  SUBNET_IN_USE: 403,
  ADDRESS_IN_USE: 403,
  ALREADY_CONNECTED: 403,
  NETWORK_IN_USE: 403,
  ENDPOINT_NOT_FOUND: 500,
  NOT_SUPPORTED: 400,
  POOL_EXHAUSTED: 503,
}

/** What Docker says of it, before the reason. */
const WORDS: Partial<Record<ErrorCode, string>> = {
  SUBNET_IN_USE: "invalid pool request: Pool overlaps with other one on this address space",
  ADDRESS_IN_USE: "Address already in use",
}

export function refusalOf(error: LinkspanError): Refusal {
  const status = STATUS[error.code] ?? ERROR_CODES[error.code].http
  const words = WORDS[error.code]
  const reason = [error.message, ...issueLines(error.issues)].join("\n")
  return new Refusal(status, words === undefined ? reason : `${words}: ${reason}`, { cause: error })
}

export function issueLines(issues: readonly Issue[]): string[] {
  return issues.map(({ path, message }) => (path === "" ? message : `${path} ${message}`))
}

/** Calls an engine's verb; `mapped` says what Docker would of the codes that it names. */
export async function answering<T>(
  act: () => Promise<T>,
  mapped: Partial<Record<ErrorCode, (error: LinkspanError) => Refusal>>,
): Promise<T> {
  try {
    return await act()
  } catch (error) {
    const map = error instanceof LinkspanError ? mapped[error.code] : undefined
    throw map === undefined ? error : map(error as LinkspanError)
  }
}
