// A private host: network, mount and process namespaces of its own around one agent (agent.ts), so that contenders see
// neither the machine's network nor each other's, and everything ends with the agent. Nothing is made in the machine's
// own namespaces.

import { mkdir } from "node:fs/promises"
import type { Answer, Request, Usage } from "./agent.ts"
import type { Measure, Path } from "./traffic.ts"

/** No single request takes longer, not even a thousand attaches on a busy machine. */
const DEADLINE_MS = 240_000

const AGENT = `${import.meta.dir}/agent.ts`
// /run is empty in there: namespace files, locks, sockets and pid files of the contenders stay private.
const ENTER = [
  ...["unshare", "--net", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"],
  ...["sh", "-c", 'mount -t tmpfs -o mode=755 tmpfs /run && exec "$@"', "sh"],
]

export interface HostOptions {
  /** A file of peers/. */
  readonly contender: string
  readonly dir: string
  readonly containers?: number
  readonly env?: Readonly<Record<string, string>>
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

export class PrivateHost implements AsyncDisposable {
  readonly contender: string
  #version = ""
  readonly #agent: Bun.Subprocess<"pipe", "pipe", "inherit">
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  private constructor({ contender, dir, containers = 1, env }: HostOptions) {
    this.contender = contender
    this.#agent = Bun.spawn(
      [...ENTER, process.execPath, AGENT, `${import.meta.dir}/peers/${contender}.ts`, dir, String(containers)],
      { stdin: "pipe", stdout: "pipe", stderr: "inherit", env: { ...process.env, ...env } },
    )
  }

  /** @throws what the contender's own preparation failed with */
  static async start(options: HostOptions): Promise<PrivateHost> {
    await mkdir(options.dir, { recursive: true })
    const host = new PrivateHost(options)
    const ready = host.#expect(0)
    void host.#listen()
    try {
      host.#version = String(await ready)
    } catch (error) {
      host.#agent.kill("SIGKILL")
      await host.#agent.exited
      throw error
    }
    return host
  }

  get version(): string {
    return this.#version
  }

  attach = (n = 0): Promise<number> => this.#request("attach", [n]) as Promise<number>
  detach = (n = 0): Promise<number> => this.#request("detach", [n]) as Promise<number>
  usage = (): Promise<Usage> => this.#request("usage", []) as Promise<Usage>

  /** Containers `first` and those that follow. */
  parallel(verb: "attach" | "detach", count: number, workers: number, first = 0): Promise<number> {
    return this.#request("parallel", [count, workers, first], verb) as Promise<number>
  }

  /** See traffic.ts. */
  async serve(): Promise<void> {
    await this.#request("traffic", [], "serve")
  }

  traffic(path: Path): Promise<Record<Measure, number>> {
    return this.#request("traffic", [], path) as Promise<Record<Measure, number>>
  }

  extra<T = number>(name: string, ...args: readonly number[]): Promise<T> {
    return this.#request("extra", args, name) as Promise<T>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = this.#request("close", []).catch((error: Error) =>
      console.error(`${this.contender}: ${error.message}`),
    )
    await Promise.race([gone, Bun.sleep(30_000)])
    this.#agent.kill("SIGKILL")
    await this.#agent.exited
  }

  #request(op: Request["op"], args: readonly number[], name?: string): Promise<unknown> {
    const id = ++this.#lastId
    const answer = this.#expect(id)
    const request: Request = { id, op, args, ...(name === undefined ? {} : { name }) }
    this.#agent.stdin.write(`${JSON.stringify(request)}\n`)
    void this.#agent.stdin.flush()
    const timer = setTimeout(() => {
      this.#settle({ id, error: `${op} ${name ?? ""} took longer than ${DEADLINE_MS / 1000} s` })
    }, DEADLINE_MS)
    return answer.finally(() => clearTimeout(timer))
  }

  #expect(id: number): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#waiting.set(id, { resolve, reject })
    return promise
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder()
    let text = ""
    for await (const chunk of this.#agent.stdout) {
      text += decoder.decode(chunk, { stream: true })
      const lines = text.split("\n")
      text = lines.pop() ?? ""
      for (const line of lines) {
        this.#settle(JSON.parse(line) as Answer)
      }
    }
    for (const { reject } of this.#waiting.values()) {
      reject(new Error(`the private host of ${this.contender} ended`))
    }
    this.#waiting.clear()
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if ("error" in answer) {
      waiting?.reject(new Error(`${this.contender}: ${answer.error}`))
    } else {
      waiting?.resolve(answer.value)
    }
  }
}
