// Whatever is typed: a request, help, or mistakes with status 2. Never a crash, never silence.

import { expect, setDefaultTimeout, test } from "bun:test"
import fc from "fast-check"
import { COMMANDS } from "./commands.ts"
import { grammar } from "./grammar.ts"
import { visibleEntries } from "./table.ts"
import { call } from "./testing/world.ts"

// Thousands of command lines, on a machine that may be busy.
setDefaultTimeout(60_000)

const commands = await Promise.all(
  visibleEntries(COMMANDS).map(async (entry) => ({
    words: entry.words.split(" "),
    options: grammar((await entry.load()).command).options,
  })),
)

const VALUES = [
  "web",
  "api",
  "10.9.0.0/24",
  "10.9.0.1",
  "fd09::/64",
  "80:80",
  "[::1]::80",
  "a=b",
  "5",
  "-5",
  "x:ip=1",
  "container:y",
  "",
  "--",
  "-",
  "sh",
  "=",
  ":",
  "\u001b[0m",
  "\0",
  "💥",
]

const word = fc.oneof(fc.constantFrom(...VALUES), fc.string({ maxLength: 8 }))

function argumentsFor(options: (typeof commands)[number]["options"]): fc.Arbitrary<string[]> {
  const names = Object.entries(options).flatMap(([key, { short }]) => [
    `--${key}`,
    `--no-${key}`,
    ...(short === undefined ? [] : [`-${short}`]),
  ])
  const name = fc.constantFrom(...names)
  const argument = fc.oneof(
    { weight: 4, arbitrary: word.map((text) => [text]) },
    { weight: 4, arbitrary: fc.tuple(name, word).map(([option, value]) => [option, value]) },
    { weight: 2, arbitrary: fc.tuple(name, word).map(([option, value]) => [`${option}=${value}`]) },
    { weight: 1, arbitrary: name.map((option) => [option]) },
  )
  return fc.array(argument, { maxLength: 6 }).map((parts) => parts.flat())
}

const line = fc
  .constantFrom(...commands)
  .chain(({ words, options }) => argumentsFor(options).map((rest) => [...words, ...rest]))

test("any command line ends with a request, with help, or with every mistake named", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof({ weight: 9, arbitrary: line }, { weight: 1, arbitrary: fc.array(word, { maxLength: 5 }) }),
      async (args) => {
        const called = await call(args)
        expect([0, 2]).toContain(called.status)
        if (called.status === 2) {
          expect(called.stderr).toMatch(/^linkspan: /m)
          expect(called.stdout).toBe("")
        } else {
          expect(
            called.engine.asked.length > 0 ||
              called.stdout !== "" ||
              args.includes("demo") ||
              args.includes("__complete"),
          ).toBe(true)
        }
        expect(called.stderr).not.toContain("\u001b")
      },
    ),
    { numRuns: 3000 },
  )
})

test("any question for completions gets an answer", async () => {
  await fc.assert(
    fc.asyncProperty(line, fc.nat(80), async (args, point) => {
      const fish = await call(["__complete", "fish", "--", ...args])
      const bash = await call(["__complete", "bash", "--", `linkspan ${args.join(" ")}`, String(point), " \t\n\"'=:"])
      for (const called of [fish, bash]) {
        expect(called).toMatchObject({ status: 0, stderr: "" })
        expect(called.stdout).toMatch(/^:(words|nospace|files|directories|commands)/)
      }
    }),
    { numRuns: 500 },
  )
})
