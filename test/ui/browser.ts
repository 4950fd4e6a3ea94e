// A real browser without a window, spoken to over two pipes: no port that anybody else could reach
// (Chrome DevTools Protocol, --remote-debugging-pipe).

import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Readable, Writable } from "node:stream"
import type { Host } from "../host.ts"
import { toolEnvironment } from "../run.ts"

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

const PATIENCE_MS = 60_000
/** Descriptors of the browser's. */
const TO = 3
const FROM = 4

export class Browser implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  readonly #profile: string
  readonly #waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>()
  readonly #seen: Message[] = []
  #session: string | undefined
  #last = 0

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child
    this.#profile = profile
    this.#exited = new Promise((resolve) => child.once("exit", resolve))
    this.#listen(child.stdio[FROM] as Readable)
  }

  /** In the host's namespace, with one empty page. */
  static async open(host: Host, size: { readonly width: number; readonly height: number }): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), "linkspan-browser-"))
    const command = [
      "chromium-headless-shell",
      // There is no user to keep apart in a test that is root.
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--disable-background-networking",
      "--no-first-run",
      `--user-data-dir=${profile}`,
      `--window-size=${size.width},${size.height}`,
      "--remote-debugging-pipe",
    ]
    const [program = "", ...args] = host.enter(command)
    const child = spawn(program, args, {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
      env: { ...toolEnvironment(), HOME: profile },
    })
    const browser = new Browser(child, profile)
    const { targetId } = await browser.call("Target.createTarget", { url: "about:blank" })
    const { sessionId } = await browser.call("Target.attachToTarget", { targetId, flatten: true })
    browser.#session = sessionId as string
    for (const domain of ["Page", "Runtime", "Log", "Network"]) {
      await browser.call(`${domain}.enable`)
    }
    return browser
  }

  /** Every request that the page has made, by its address. */
  get requests(): string[] {
    return this.#seen
      .filter(({ method }) => method === "Network.requestWillBeSent")
      .map(({ params = {} }) => (params["request"] as { url: string }).url)
  }

  /** What the page or the browser has complained about. */
  get complaints(): unknown[] {
    return this.#seen
      .filter(({ method }) => method === "Runtime.exceptionThrown" || method === "Log.entryAdded")
      .map(({ params }) => params)
  }

  async call(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = ++this.#last
    const answer = Promise.withResolvers<Record<string, unknown>>()
    this.#waiting.set(id, answer)
    const session = this.#session === undefined ? {} : { sessionId: this.#session }
    const to = this.#child.stdio[TO] as Writable
    to.write(`${JSON.stringify({ id, method, params, ...session })}\0`)
    const timer = setTimeout(() => answer.reject(new Error(`The browser does not answer ${method}`)), PATIENCE_MS)
    try {
      return await answer.promise
    } finally {
      clearTimeout(timer)
    }
  }

  /** What the expression, or the promise that it is, comes to. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.call("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })
    if (exceptionDetails !== undefined) {
      throw new Error(`In the page: ${JSON.stringify(exceptionDetails)}`)
    }
    return (result as { value: T }).value
  }

  /** Resolves when the expression is true in the page, which is asked at every change of it. @returns how long it took, in ms */
  async when(expression: string, patienceMs = 10_000): Promise<number> {
    return this.evaluate(`new Promise((resolve, reject) => {
      const begun = performance.now()
      const look = () => {
        if (${expression}) { observer.disconnect(); clearTimeout(timer); resolve(performance.now() - begun) }
      }
      const observer = new MutationObserver(look)
      observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true })
      const timer = setTimeout(() => reject(new Error(${JSON.stringify(expression)})), ${patienceMs})
      look()
    })`)
  }

  async screenshot(): Promise<Buffer> {
    const { data } = await this.call("Page.captureScreenshot", { format: "png" })
    return Buffer.from(data as string, "base64")
  }

  #listen(from: Readable): void {
    let rest = ""
    from.setEncoding("utf8")
    from.on("data", (chunk: string) => {
      const messages = (rest + chunk).split("\0")
      rest = messages.pop() ?? ""
      for (const text of messages) {
        this.#take(JSON.parse(text) as Message)
      }
    })
  }

  #take(message: Message): void {
    const waiting = this.#waiting.get(message.id ?? 0)
    this.#waiting.delete(message.id ?? 0)
    if (waiting === undefined) {
      this.#seen.push(message)
    } else if (message.error === undefined) {
      waiting.resolve(message.result ?? {})
    } else {
      waiting.reject(new Error(message.error.message))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session = undefined
    await this.call("Browser.close").catch(() => this.#child.kill("SIGKILL"))
    await this.#exited
    rmSync(this.#profile, { recursive: true, force: true })
  }
}
