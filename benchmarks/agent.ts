// The inside of a private host: started by host.ts in namespaces of its own, loads one contender and does what the
// lines on its standard input say. One JSON request a line, one JSON answer a line.

import { readdirSync } from "node:fs"
import { createInterface } from "node:readline"
import type { Contender, Start } from "./contender.ts"
import { furnish } from "./lab.ts"
import { measureTraffic, type Path, serve } from "./traffic.ts"

export interface Request {
  readonly id: number
  /** traffic: `name` is "serve" or a path. */
  readonly op: "attach" | "detach" | "parallel" | "traffic" | "usage" | "extra" | "close"
  readonly args: readonly number[]
  readonly name?: string
}

export type Answer = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string }

/** Memory and descriptors of the process that holds the contender. */
export interface Usage {
  readonly rssBytes: number
  readonly heapBytes: number
  readonly descriptors: number
}

function usage(): Usage {
  Bun.gc(true)
  const { rss, heapUsed } = process.memoryUsage()
  return { rssBytes: rss, heapBytes: heapUsed, descriptors: readdirSync("/proc/self/fd").length }
}

/** Attaches containers first … first+count-1, at most `workers` at a time. Milliseconds from the first start to the last end. */
async function parallel(
  contender: Contender,
  verb: "attach" | "detach",
  { count, workers, first }: { readonly count: number; readonly workers: number; readonly first: number },
) {
  let next = first
  const began = performance.now()
  await Promise.all(
    Array.from({ length: workers }, async () => {
      while (next < first + count) {
        await contender[verb](next++)
      }
    }),
  )
  return performance.now() - began
}

async function perform(contender: Contender, { op, args, name }: Request): Promise<unknown> {
  const [first = 0, second = 1, third = 0] = args
  switch (op) {
    case "attach":
    case "detach":
      return contender[op](first)
    case "parallel":
      return parallel(contender, name === "detach" ? "detach" : "attach", {
        count: first,
        workers: second,
        first: third,
      })
    case "traffic":
      return name === "serve" ? serve(contender) : measureTraffic(contender, name as Path)
    case "usage":
      return usage()
    case "extra": {
      const extra = contender.extra?.[name ?? ""]
      if (extra === undefined) {
        throw new Error(`no extra operation "${name}"`)
      }
      return extra(...args)
    }
    case "close":
      return contender.close()
  }
}

function answer(value: Answer): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

function message(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

async function main([module = "", dir = "", containers = "0"]: readonly string[]): Promise<void> {
  let contender: Contender
  try {
    const namespaces = await furnish(Number(containers))
    const { start } = (await import(module)) as { start: Start }
    contender = await start({ dir, namespaces })
    answer({ id: 0, value: contender.version })
  } catch (error) {
    answer({ id: 0, error: message(error) })
    return
  }
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as Request
    try {
      answer({ id: request.id, value: (await perform(contender, request)) ?? null })
    } catch (error) {
      answer({ id: request.id, error: message(error) })
    }
    if (request.op === "close") {
      return
    }
  }
}

if (import.meta.main) {
  await main(process.argv.slice(2))
  process.exit(0)
}
