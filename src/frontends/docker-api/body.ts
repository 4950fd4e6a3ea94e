// A request's JSON as Docker's clients write it: names of fields in any case, fields that nobody knows, and null, "" or
// an empty list for what is not given (the zero values of Go's encoding/json).

import { childField, type Field, type Reader, readPlainObject, rootField } from "#model/field.ts"
import type { Call } from "./http.ts"
import { issueLines, Refusal } from "./refusal.ts"

/** @throws Refusal 400 */
export function readBody<T>({ contentType, body }: Call, read: Reader<T>): T {
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? ""
  if (body !== "" && type !== "application/json") {
    throw new Refusal(400, `unsupported Content-Type header (${contentType}): must be 'application/json'`)
  }
  const root = rootField(parse(body))
  const value = read(root)
  if (root.issues.length > 0 || value === undefined) {
    throw new Refusal(400, `invalid JSON: ${issueLines(root.issues).join("\n")}`)
  }
  return value
}

function parse(body: string): unknown {
  if (body === "") {
    throw new Refusal(400, "invalid JSON: got EOF while reading request body")
  }
  let reason: string
  try {
    return JSON.parse(body)
  } catch (error) {
    reason = (error as Error).message
  }
  throw new Refusal(400, `invalid JSON: ${reason}`)
}

/** The fields of an object by the names that are asked for; what is null counts as absent. */
export function readFields<K extends string>(field: Field, names: readonly K[]): Record<K, Field> | undefined {
  const object = readPlainObject(field)
  if (object === undefined) {
    return undefined
  }
  const keys = new Map(Object.keys(object).map((key) => [key.toLowerCase(), key]))
  const fields = names.map((name) => {
    const key = Object.hasOwn(object, name) ? name : keys.get(name.toLowerCase())
    const value = key === undefined ? undefined : (object[key] ?? undefined)
    return [name, childField(field, name, value)] as const
  })
  return Object.fromEntries(fields) as Record<K, Field>
}

/** Absent where it is the empty text. */
export function given(field: Field): Field {
  return field.value === "" ? { ...field, value: undefined } : field
}
