// Called as `aardvark-dns`: answers the names that a netavark, ours or the original, has written down. `run` starts a
// process of its own and waits until names are answered; from then on that process is told by SIGHUP to read again, and
// ends by itself when nothing is left to listen at.
// https://github.com/containers/aardvark-dns

import { closeSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs"
import { isAbsolute, join } from "node:path"
import type { Surroundings } from "#engine/front-door.ts"
import { PID_FILE } from "./aardvark-directory.ts"
import { AARDVARK_USAGE, type AardvarkLine, parseAardvarkLine } from "./aardvark-line.ts"
import { UsageError } from "./command-line.ts"

const CONTRACT = "2.0.0"

/** What the process that answers is told by its starter: a descriptor for one line, empty when all is well. */
const READY = "LINKSPAN_AARDVARK_READY"

export async function runAardvark(args: readonly string[], around: Surroundings): Promise<number> {
  try {
    if (args.includes("--version") || args.includes("-V")) {
      await around.out(`aardvark-dns ${await version()}\n`)
      return 0
    }
    if (args.includes("--help") || args.includes("-h") || args[0] === "help") {
      await around.out(AARDVARK_USAGE)
      return 0
    }
    const line = parseAardvarkLine(args)
    if (line.verb === "version") {
      await around.out(
        `${JSON.stringify({ version: await version(), commit: "", build_time: "", target: "" }, undefined, 2)}\n`,
      )
      return 0
    }
    const config = isAbsolute(line.config) ? line.config : join(around.directory, line.config)
    const ready = around.env[READY]
    return ready === undefined
      ? await start({ ...line, config }, around)
      : await answer(
          { ...line, config },
          { ready: Number(ready), silent: around.env["AARDVARK_NO_PROXY"] !== undefined },
        )
  } catch (error) {
    if (error instanceof UsageError) {
      around.err(`error: ${error.message}\n\n${AARDVARK_USAGE}`)
      return 2
    }
    around.err(`Error starting server ${(error as Error).message}\n`)
    return 1
  }
}

async function version(): Promise<string> {
  const { VERSION } = await import("#model/version.ts")
  return `${CONTRACT}+linkspan-${VERSION}`
}

async function start(line: AardvarkLine, around: Surroundings): Promise<number> {
  const { startAndWait } = await import("#engine/start-service.ts")
  const { AARDVARK_NO_PROXY, PATH } = around.env
  const said = startAndWait({
    args: ["aardvark-dns", "--config", line.config, "-p", String(line.port), "-f", line.domain, "run"],
    env: {
      ...(PATH === undefined ? {} : { PATH }),
      ...(AARDVARK_NO_PROXY === undefined ? {} : { AARDVARK_NO_PROXY }),
    },
    // Beside the directory: whatever is in it is taken for a network.
    logFile: `${line.config}/../aardvark-dns.log`,
    readyVariable: READY,
  })
  if (said === "") {
    return 0
  }
  around.err(`${said ?? "Error starting server: it ended without a word"}\nError from child process\n`)
  return 1
}

async function answer(
  line: AardvarkLine,
  { ready, silent }: { readonly ready: number; readonly silent: boolean },
): Promise<number> {
  const [{ NameServer }, { readDirectory }] = await Promise.all([
    import("#engine/names/serve-directory.ts"),
    import("./aardvark-directory.ts"),
  ])
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  using server = new NameServer({ port: line.port, domain: line.domain })
  const pidFile = `${line.config}/${PID_FILE}`
  /** False when nothing is left to be asked at. */
  const read = async (): Promise<boolean> => {
    const names = readDirectory(line.config, silent)
    await server.become(names)
    return names.listening.length > 0
  }
  let turn: Promise<unknown> = Promise.resolve()
  const again = (): void => {
    turn = turn.then(async () => {
      try {
        if (await read()) {
          return
        }
        // Whoever has written since then must find no process that is about to end.
        rmSync(pidFile, { force: true })
        if (!(await read())) {
          end()
          return
        }
        writeFileSync(pidFile, String(process.pid))
      } catch (error) {
        log(error)
      }
    })
  }
  // In place before anybody can know the process.
  process.on("SIGHUP", again).on("SIGTERM", end).on("SIGINT", end)
  writeFileSync(pidFile, String(process.pid))
  try {
    if (!(await read())) {
      throw new Error(`there is no address to listen at in ${line.config}`)
    }
    tell(ready, "")
  } catch (error) {
    rmSync(pidFile, { force: true })
    tell(ready, `Error starting server ${bindError(error)}`)
    return 1
  }
  await ended
  if (isOwnPid(pidFile)) {
    rmSync(pidFile, { force: true })
  }
  return 0
}

function isOwnPid(path: string): boolean {
  try {
    return readFileSync(path, "utf8") === String(process.pid)
  } catch {
    return false
  }
}

function log(error: unknown): void {
  process.stderr.write(`${new Date().toISOString()} ${(error as Error).message}\n`)
}

function tell(fd: number, text: string): void {
  writeSync(fd, `${text}\n`)
  closeSync(fd)
}

/** In the words that people search for. */
function bindError(error: unknown): string {
  const { details, message } = error as Error & { readonly details?: Readonly<Record<string, unknown>> }
  return details?.["at"] === undefined
    ? message
    : `failed to bind ${details["transport"]} listener on ${details["at"]}: ${message}`
}
