import { LinkspanError } from "#model/errors.ts"

export function unusable(
  place: string,
  reason: string,
  rest: { readonly hint: string; readonly cause?: unknown },
): LinkspanError {
  return new LinkspanError("STATE_UNUSABLE", { message: `Cannot serve Docker's API at "${place}": ${reason}`, ...rest })
}
