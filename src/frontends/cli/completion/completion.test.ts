// Completion as a user meets it: in a real bash, with the script that linkspan prints.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { call } from "../testing/world.ts"
import { readBashLine } from "./bash-line.ts"

// Each question starts two processes, on a machine that may be busy.
setDefaultTimeout(60_000)

let directory = ""

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "linkspan-completion-"))
  const executable = new URL("../testing/executable.ts", import.meta.url).pathname
  await writeFile(join(directory, "linkspan"), `#!/bin/sh\nexec '${process.execPath}' '${executable}' "$@"\n`)
  await chmod(join(directory, "linkspan"), 0o755)
  await writeFile(join(directory, "netns-file"), "")
})

afterAll(() => rm(directory, { recursive: true }))

/** What bash offers at the end of the line. COMP_WORDS is split as bash splits it: at blanks, and around "=" and ":". */
async function completeInBash(line: string): Promise<string[]> {
  const script = `
    source <(linkspan completion bash) || exit 9
    [ "$(complete -p linkspan)" = "complete -F _linkspan linkspan" ] || exit 8
    compopt() { :; }  # Only allowed where bash itself completes.
    COMP_LINE=$1 COMP_POINT=\${#1} COMP_TYPE=9 COMP_KEY=9
    COMP_WORDS=() COMP_WORDBREAKS=$' \\t\\n"\\'=:'
    while IFS= read -r word; do COMP_WORDS+=("$word"); done < <(sed -E 's/([=:]+)/ \\1 /g; s/ +/\\n/g' <<< "$1")
    COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _linkspan linkspan "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}"
    printf '%s\\n' "\${COMPREPLY[@]}"`
  const bash = Bun.spawn(["bash", "--norc", "-c", script, "bash", line], {
    stdout: "pipe",
    stderr: "pipe",
    cwd: directory,
    env: { ...process.env, PATH: `${directory}:${process.env["PATH"]}`, LINKSPAN_TEST_FAKE: "named" },
  })
  const [stdout, stderr] = await Promise.all([bash.stdout.text(), bash.stderr.text()])
  expect({ status: await bash.exited, stderr }).toEqual({ status: 0, stderr: "" })
  return stdout.split("\n").filter((text) => text !== "")
}

describe("bash completes", () => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    ["linkspan net", ["network"]],
    ["linkspan network c", ["create", "connect"]],
    ["linkspan -o json network c", ["create", "connect"]],
    ["linkspan network inspect ", ["web", "web-2", "db"]],
    ["linkspan network inspect we", ["web", "web-2"]],
    ["linkspan network rm db we", ["web", "web-2"]],
    ["linkspan network connect web a", ["api"]],
    ["linkspan network create --driver ", ["bridge", "macvlan", "ipvlan"]],
    ["linkspan network create --driver=ma", ["macvlan"]],
    ["linkspan network create --no-i", ["--no-ipv4", "--no-ipv6", "--no-icc"]],
    ["linkspan network create --icc=", ["true", "false"]],
    ["linkspan run --net", ["--network"]],
    ["linkspan run --network d", ["db"]],
    ["linkspan run --network container:x --network d", ["db"]],
    ["linkspan attach --netns netns-", ["netns-file"]],
    ["linkspan attach --netns=netns-", ["netns-file"]],
    ["linkspan run --network web printf-no-such", []],
    ["linkspan run --network web mkte", ["mktemp"]],
    ["linkspan exec api netns-f", []],
    ["linkspan exec api cat netns-f", ["netns-file"]],
    ["linkspan exec ", ["api"]],
    [
      "linkspan ps -",
      ["--all", "--output", "--quiet", "--debug", "--no-color", "--state-dir", "--run-dir", "--host-netns", "--help"],
    ],
    ["linkspan ps -o ", ["table", "json"]],
    ["linkspan completion ", ["bash", "zsh", "fish"]],
    ["linkspan help network up", ["update"]],
    ["linkspan help fi", ["firewall"]],
    ["linkspan no-such-command ", []],
  ]
  for (const [line, want] of table) {
    test(`"${line}"`, async () => {
      // bash itself offers a program once for every directory of PATH that has it.
      expect([...new Set(await completeInBash(line))]).toEqual([...want])
    })
  }
})

test("fish and zsh get meanings too", async () => {
  expect((await call(["__complete", "fish", "--", "firewall", "st"])).stdout).toBe(
    ":words\nstatus\tShow whether other packet filters are in the way\n",
  )
  expect((await call(["__complete", "zsh", "--", "run", "--rm"])).stdout).toBe(
    ":words\n--rm\tRemove the container when its command ends\n",
  )
})

test("where the engine cannot be opened there are no names, and no noise", async () => {
  const closed = Object.assign(new Error("no root"))
  expect(await call(["__complete", "fish", "--", "inspect", ""], { closed })).toMatchObject({ status: 70 })
})

test("readBashLine() finds the words that linkspan will see", () => {
  const breaks = " \t\n\"'><=;|&(:"
  expect(readBashLine("linkspan run  --network=web:ip=1 ", 100, breaks)).toEqual({
    words: ["run", "--network=web:ip=1"],
    current: "",
    keeps: 0,
  })
  expect(readBashLine("linkspan run --network=web:ip", 100, breaks)).toEqual({
    words: ["run"],
    current: "--network=web:ip",
    keeps: 14,
  })
  expect(readBashLine("linkspan run --network=web:ip", 100, " \t\n")).toMatchObject({ keeps: 0 })
  expect(readBashLine('linkspan run "a b" c\\ d \'e', 100, breaks)).toEqual({
    words: ["run", "a b", "c d"],
    current: "e",
    keeps: 0,
  })
  expect(readBashLine("linkspan network create", 11, breaks)).toEqual({ words: [], current: "ne", keeps: 0 })
})
