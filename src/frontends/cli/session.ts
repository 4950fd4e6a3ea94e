// One call of one command: its global options, its world, and the engine once it is asked for.

import type { LinkspanApi, MutationOptions } from "#engine/linkspan.ts"
import type { Outcome } from "#model/view.ts"
import type { Globals } from "./globals.ts"
import { type Look, plain } from "./print/look.ts"
import { type Progress, trackProgress } from "./progress.ts"
import type { Group } from "./table.ts"
import type { World } from "./world.ts"

export class Session implements AsyncDisposable {
  readonly world: World
  readonly globals: Globals
  /** All there are: what help and completion talk about. */
  readonly commands: readonly Group[]
  #engine: Promise<LinkspanApi> | undefined
  #progress: Progress | undefined

  constructor(world: World, globals: Globals, commands: readonly Group[]) {
    this.world = world
    this.globals = globals
    this.commands = commands
  }

  engine(): Promise<LinkspanApi> {
    const trace = this.globals.debug ? { trace: (line: string) => this.world.err(line) } : {}
    this.#engine ??= this.world.open({ ...this.globals.engine, ...trace })
    return this.#engine
  }

  async mutation(): Promise<MutationOptions> {
    this.#progress ??= await trackProgress(this.world, this.globals)
    return { dryRun: this.globals.dryRun, ...this.#progress.options }
  }

  /** How stdout looks, asked only by what wants to know: node:tty takes as long to load as a container's whole network. */
  look(): Look {
    let asked: Look | undefined
    const { world, globals } = this
    const look = (): Look => (asked ??= world.stdoutLook())
    return {
      get colour() {
        return !globals.noColour && look().colour
      },
      get columns() {
        return look().columns
      },
    }
  }

  async printJson(value: unknown): Promise<void> {
    await this.world.out(`${JSON.stringify(value, null, 2)}\n`)
  }

  async printLines(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) {
      await this.world.out(`${lines.join("\n")}\n`)
    }
  }

  /** Warnings to stderr (with -o json an object a line, as errors are); for a dry run also the plan, as the result. True when that was all. */
  async printOutcome(outcome: Outcome<unknown>): Promise<boolean> {
    this.#progress?.clear()
    if (!this.globals.quiet) {
      for (const warning of outcome.warnings) {
        this.world.err(
          this.globals.json
            ? JSON.stringify({ warning: { message: warning } })
            : `linkspan: warning: ${plain(warning)}`,
        )
      }
    }
    if (!outcome.dryRun) {
      return false
    }
    if (this.globals.json) {
      await this.printJson({ dryRun: true, plan: outcome.plan, warnings: outcome.warnings })
    } else {
      await this.printLines(outcome.plan.map(plain))
    }
    return true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#progress?.clear()
    // An engine that could not be opened was reported where it was asked for.
    const engine = await this.#engine?.catch(() => undefined)
    await engine?.[Symbol.asyncDispose]()
  }
}
