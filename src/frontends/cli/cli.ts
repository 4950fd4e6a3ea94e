// One command line from its words to its exit status: find the command, parse, ask the engine, show the answer.

import type { LinkspanApi } from "#engine/linkspan.ts"
import { type Issue, LinkspanError } from "#model/errors.ts"
import type { Change, Command, LooselyGiven, Options, Positionals, Query } from "./command.ts"
import { COMMANDS } from "./commands.ts"
import { PartialFailure } from "./each.ts"
import { GLOBAL_OPTIONS, readGlobals } from "./globals.ts"
import { grammar } from "./grammar.ts"
import { parse, parseLeading, spell } from "./parse.ts"
import { Session } from "./session.ts"
import { type Entry, findCommand } from "./table.ts"
import type { World } from "./world.ts"

/** Runs one command line. Never throws; everything that goes wrong is on stderr and in the exit status. */
export async function runCli(args: readonly string[], world: World): Promise<number> {
  const places: LooselyGiven[] = []
  try {
    return await dispatch(args, world, places)
  } catch (error) {
    const { report } = await import("./report.ts")
    // Whatever could be read of -o, --debug and --no-color decides how the error is written.
    return report(error, world, readGlobals(places, world, []))
  }
}

async function dispatch(args: readonly string[], world: World, places: LooselyGiven[]): Promise<number> {
  const words: string[] = []
  const issues: Issue[] = []
  let left = args
  for (;;) {
    const leading = parseLeading(left, { ...GLOBAL_OPTIONS, ...(words.length === 0 ? VERSION : {}) })
    places.push(leading.given)
    issues.push(...leading.issues)
    const [word, ...others] = leading.left
    if (leading.given.options["version"] === true) {
      return runEntry(findEntry(["version"]), [], { world, places, issues })
    }
    if (word === undefined) {
      return runEntry(findEntry(["help"]), words, { world, places: places.map(withoutHelp), issues })
    }
    words.push(word)
    left = others
    const found = findCommand(COMMANDS, words)
    if (found.kind === "command") {
      return runEntry(found.entry, left, { world, places, issues: await pointBehind(found.entry, issues) })
    }
    if (found.kind === "unknown") {
      // How the error is to be written may stand behind it.
      places.push(parse(left, { options: GLOBAL_OPTIONS, positionals: {} }).given)
      const { unknownCommand } = await import("./unknown-command.ts")
      throw unknownCommand(COMMANDS, words, issues)
    }
  }
}

/** An option of the command's own that was written before it is not unknown, it is in the wrong place. */
async function pointBehind(entry: Entry, issues: readonly Issue[]): Promise<Issue[]> {
  if (issues.length === 0) {
    return []
  }
  const own = spell(grammar((await entry.load()).command).options)
  return issues.map((issue) =>
    own.has(issue.path)
      ? { ...issue, message: `belongs behind the command: linkspan ${entry.words} ${issue.path}` }
      : issue,
  )
}

const VERSION = { version: { kind: "flag", about: "Show which linkspan this is" } } as const satisfies Options

/** "linkspan --help" asks for help, not for help about help. */
function withoutHelp(given: LooselyGiven): LooselyGiven {
  return { ...given, options: { ...given.options, help: undefined } }
}

function findEntry(words: readonly string[]): Entry {
  const found = findCommand(COMMANDS, words)
  if (found.kind !== "command") {
    throw new LinkspanError("INTERNAL", { message: `Internal error: the command table has no "${words.join(" ")}"` })
  }
  return found.entry
}

interface Call {
  readonly world: World
  readonly places: LooselyGiven[]
  readonly issues: Issue[]
}

async function runEntry(entry: Entry, args: readonly string[], call: Call): Promise<number> {
  const { command } = await entry.load()
  const { given, issues } = parse(args, grammar(command))
  call.places.push(given)
  call.issues.push(...issues)
  const globals = readGlobals(call.places, call.world, call.issues)
  if (globals.help) {
    const { printCommandHelp } = await import("./print/help.ts")
    return printCommandHelp(entry, command, call.world, globals)
  }
  const request = await readRequest(command, given, call)
  if (call.issues.length > 0) {
    const { refuse } = await import("./refuse.ts")
    throw await refuse({ entry, command, given, request, issues: call.issues })
  }
  await using session = new Session(call.world, globals, COMMANDS)
  try {
    return await carryOut(command, request, session)
  } catch (error) {
    const { locate } = await import("./locate.ts")
    throw locate(error, { entry, command, given })
  }
}

async function readRequest(command: Command, given: LooselyGiven, { issues, world }: Call): Promise<unknown> {
  // The command's own table was what `given` was parsed by, so it is what the command's types say.
  return command.request(
    given as Parameters<Command["request"]>[0],
    (path, message) => issues.push({ path, message }),
    world,
  )
}

async function carryOut(command: Command, request: unknown, session: Session): Promise<number> {
  switch (command.kind) {
    case "query":
      return ask(command, request, session)
    case "change":
      return change(command, request, session)
    case "act":
      return command.act(session, request)
  }
}

type AnyQuery = Query<Options, Positionals, unknown, unknown>
type AnyChange = Change<Options, Positionals, unknown, unknown>

async function ask(command: AnyQuery, request: unknown, session: Session): Promise<number> {
  const engine = await session.engine()
  return showAll(
    () => command.ask(engine, request),
    (answer) => showAnswer(command, answer, session),
  )
}

async function showAnswer(command: AnyQuery, answer: unknown, session: Session): Promise<number> {
  const { json, quiet } = session.globals
  const status = command.status?.(answer) ?? 0
  if (json) {
    await session.printJson(answer)
    return status
  }
  if (quiet && command.names !== undefined) {
    await session.printLines(command.names(answer))
    return status
  }
  await session.world.out(await command.show(answer, session.look()))
  if (command.whenEmpty !== undefined && Array.isArray(answer) && answer.length === 0 && !quiet) {
    session.world.err(command.whenEmpty)
  }
  return status
}

async function change(command: AnyChange, request: unknown, session: Session): Promise<number> {
  const engine: LinkspanApi = await session.engine()
  return showAll(
    async () => command.change(engine, request, await session.mutation()),
    async (outcome) => {
      if (!(await session.printOutcome(outcome))) {
        await (session.globals.json
          ? session.printJson(outcome.result)
          : session.world.out(await command.show(outcome.result, session.look())))
      }
      return command.status?.(outcome.result) ?? 0
    },
  )
}

/** Shows an answer; of a partial failure first what worked, before the failure goes on its way. */
async function showAll<A>(ask: () => Promise<A>, show: (answer: A) => Promise<number>): Promise<number> {
  try {
    return await show(await ask())
  } catch (error) {
    if (error instanceof PartialFailure) {
      // Made by askEach or changeEach inside `ask`, so the answer is of the kind that `ask` gives.
      await show(error.answer as A)
    }
    throw error
  }
}
