// A program of the tests in one file: hundreds of starts are not worth loading a hundred modules each.

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { PREFIX } from "./sweep.ts"

export class Bundle implements Disposable {
  readonly #directory: string
  /** The program's file. */
  readonly path: string

  private constructor(directory: string, path: string) {
    this.#directory = directory
    this.path = path
  }

  static async of(entry: string): Promise<Bundle> {
    const directory = mkdtempSync(join(tmpdir(), `${PREFIX}-${process.pid}-bundle-`))
    const { outputs } = await Bun.build({ entrypoints: [entry], target: "bun", outdir: directory })
    const path = outputs[0]?.path
    if (path === undefined) {
      throw new Error(`Cannot bundle ${basename(entry)}`)
    }
    return new Bundle(directory, path)
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
