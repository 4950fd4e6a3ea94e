// What dockerd says and is told: fields of JSON objects, read by name. Fields that nobody reads may be anything, since
// each version of Docker adds some.

import { LinkspanError } from "#model/errors.ts"

export type Message = Readonly<Record<string, unknown>>

/** What a method answers; every answer is an object. */
export type Answer = Readonly<Record<string, unknown>>

/** @throws LinkspanError INVALID_REQUEST: dockerd repeats a call whose connection broke without its body. */
export function parseMessage(method: string, body: string): Message {
  if (body === "") {
    throw wrong(method, "", "has no body: Docker lost it while it repeated the call; repeat the whole command")
  }
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (cause) {
    throw wrong(method, "", `is not JSON: ${(cause as Error).message}`)
  }
  return isObject(value) ? value : fail(method, "", "is not an object")
}

export function isObject(value: unknown): value is Message {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** A text that must be there. */
export function text(message: Message, key: string): string {
  const value = message[key]
  return typeof value === "string" && value !== "" ? value : fail("The call", key, "is missing")
}

/** A text; absent when it is empty, which is how Go writes an absent one. */
export function optionalText(message: Message, key: string): string | undefined {
  const value = message[key]
  return typeof value === "string" && value !== "" ? value : undefined
}

/** An object; none when it is absent or null. */
export function object(message: Message, key: string): Message {
  const value = message[key] ?? {}
  return isObject(value) ? value : fail("The call", key, "is not an object")
}

/** A list of objects; none when it is absent or null. */
export function objects(message: Message, key: string): readonly Message[] {
  const value = message[key] ?? []
  return Array.isArray(value) && value.every(isObject) ? value : fail("The call", key, "is not a list of objects")
}

export function number(message: Message, key: string): number {
  const value = message[key] ?? 0
  return typeof value === "number" ? value : fail("The call", key, "is not a number")
}

function fail(what: string, path: string, reason: string): never {
  throw wrong(what, path, reason)
}

function wrong(what: string, path: string, message: string): LinkspanError {
  return new LinkspanError("INVALID_REQUEST", {
    message: `Cannot understand what Docker asks: ${what}`,
    issues: [{ path, message }],
  })
}
