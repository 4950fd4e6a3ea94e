// `linkspan daemon` as Docker's plugin, in a process of its own that can be killed.

import { expect } from "bun:test"
import { existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import type { Host } from "../../host.ts"
import type { Program } from "../../netns.ts"
import { toolEnvironment, until } from "../../run.ts"

const MAIN = join(import.meta.dir, "../../../src/main.ts")

export class PluginProcess implements AsyncDisposable {
  readonly #host: Host
  readonly #directory: string
  #program: Program | undefined

  /** @param directory where dockerd looks for plugins */
  constructor(host: Host, directory: string) {
    this.#host = host
    this.#directory = directory
    mkdirSync(directory, { recursive: true })
  }

  get #socket(): string {
    return join(this.#directory, "linkspan.sock")
  }

  async start(): Promise<void> {
    const { stateDir, runDir } = this.#host
    const own = `mount -t tmpfs none /run && mkdir -p /run/docker/plugins && mount --bind ${this.#directory} /run/docker/plugins`
    const daemon = [process.execPath, "--no-env-file", MAIN, "daemon", "--docker-plugin", "--no-heal"]
    this.#program = this.#host.start(
      ["unshare", "--mount", "--propagation", "private", "sh", "-c", `${own} && exec "$@"`, "sh", ...daemon],
      {
        env: { ...toolEnvironment(), LINKSPAN_STATE_DIR: stateDir, LINKSPAN_RUN_DIR: runDir, LINKSPAN_DNS: "off" },
      },
    )
    const answers = async (): Promise<true | undefined> =>
      existsSync(this.#socket) && (await this.#ask("Plugin.Activate", "")) !== undefined ? true : undefined
    expect(await until(answers, 30_000)).toBe(true)
  }

  async kill(): Promise<void> {
    this.#program?.kill("SIGKILL")
    await this.#program?.stop()
    await this.start()
  }

  /** As dockerd does: again while nobody is there. */
  async call(method: string, request: object): Promise<Readonly<Record<string, string>>> {
    const answer = await until(() => this.#ask(method, JSON.stringify(request)), 60_000)
    if (answer === undefined || answer["Err"] !== undefined) {
      throw new Error(`${method}: ${answer?.["Err"] ?? "no answer"}`)
    }
    return answer
  }

  async #ask(method: string, body: string): Promise<Readonly<Record<string, string>> | undefined> {
    try {
      const options = { unix: this.#socket, method: "POST", body, keepalive: false }
      return (await (await fetch(`http://plugin/${method}`, options)).json()) as Record<string, string>
    } catch {
      return undefined
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#program?.kill("SIGTERM")
    await this.#program?.exited
    await this.#program?.stop()
  }
}
