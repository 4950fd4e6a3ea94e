// The process that dies: carries out one verb (or a command that finds what a dead one left) and kills itself at a
// chosen moment. Prints how many moments there were when it has lived to the end.
//
//   bun victim.ts '{"verb": …, "props": …, "host": …, "death": {"at": "step" | "call", "number": n}}'

import { Database } from "bun:sqlite"
import { Linkspan, type LinkspanOptions } from "../../src/index.ts"
import { native } from "../../src/kernel/native.ts"
import { type Props, verbNamed } from "./verbs.ts"

/** step: before operation `number`, or before the last thing. call: before native call or database commit `number`. */
export interface Death {
  readonly at: "step" | "call"
  readonly number: number
}

export interface Task {
  /** Absent: a command for a container that does not exist, which all the same settles what it finds. */
  readonly verb?: string
  readonly props: Props
  readonly host: LinkspanOptions
  readonly death?: Death
}

export interface Survived {
  readonly steps: number
  readonly calls: number
}

function die(): void {
  process.kill(process.pid, "SIGKILL")
}

/** Counts everything by which this process can change something outside of itself. */
function countCalls(onCall: () => void): void {
  const code = native() as { -readonly [K in keyof ReturnType<typeof native>]: ReturnType<typeof native>[K] }
  const { invoke } = code
  code.invoke = (...words) => {
    onCall()
    return invoke(...words)
  }
  const { run } = Database.prototype
  Database.prototype.run = function (this: Database, ...args: Parameters<Database["run"]>) {
    const isCommit = args[0] === "COMMIT"
    if (isCommit) {
      onCall()
    }
    const changes = run.apply(this, args)
    if (isCommit) {
      onCall()
    }
    return changes
  } as Database["run"]
}

async function main({ verb, props, host, death }: Task): Promise<Survived> {
  let steps = 0
  let calls = 0
  await using linkspan = await Linkspan.open({ ...host, names: false })
  countCalls(() => {
    if (death?.at === "call" && death.number === calls) {
      die()
    }
    calls++
  })
  const onProgress = (): void => {
    if (death?.at === "step" && death.number === steps) {
      die()
    }
    steps++
  }
  if (verb === undefined) {
    await linkspan.detach("nobody").catch(() => undefined)
  } else {
    await verbNamed(verb).act(linkspan, props, death?.at === "call" ? {} : { onProgress })
  }
  return { steps, calls }
}

// No top-level await: it would keep the bundler from compiling this ahead.
void main(JSON.parse(process.argv[2] ?? "{}") as Task).then((survived) => {
  process.stdout.write(`${JSON.stringify(survived)}\n`)
  // A container in the background goes on without it.
  process.exit(0)
})
