// The command line as a process: pipes that close, disks that are full, start-up.

import { expect, setDefaultTimeout, test } from "bun:test"

const EXECUTABLE = new URL("./testing/executable.ts", import.meta.url).pathname

interface Ended {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** @param fake which of executable.ts's engines answers. */
async function bash(script: string, fake = "many"): Promise<Ended> {
  const process = Bun.spawn(["bash", "-c", script, "bash", globalThis.process.execPath, EXECUTABLE], {
    stdout: "pipe",
    stderr: "pipe",
    env: { ...globalThis.process.env, LINKSPAN_TEST_FAKE: fake },
  })
  const [stdout, stderr] = await Promise.all([process.stdout.text(), process.stderr.text()])
  return { status: await process.exited, stdout, stderr }
}

// Several processes one after another, on a machine that may be busy.
setDefaultTimeout(60_000)

test("a reader that has seen enough is no error", async () => {
  const ended = await bash('"$1" "$2" network ls | head -1; exit $PIPESTATUS')
  expect(ended).toMatchObject({ status: 0, stderr: "" })
  expect(ended.stdout).toStartWith("NAME")
})

test("a slow reader gets everything", async () => {
  const { stdout } = await bash('"$1" "$2" network ls -q | (sleep 0.3; wc -l)')
  expect(stdout.trim()).toBe("20000")
})

test("a result of nothing leaves the file that standard output is as it was", async () => {
  const script = 'f=$(mktemp); { echo before; "$1" "$2" network rm web; echo after; } > $f; cat $f; rm $f'
  expect((await bash(script, "failing")).stdout).toBe("before\nafter\n")
})

test("a result that cannot be written is an error, and no bug", async () => {
  const ended = await bash('"$1" "$2" network ls > /dev/full')
  expect(ended.status).toBe(74)
  expect(ended.stderr).toStartWith("linkspan: Cannot write the result: ENOSPC")
})

test("on a terminal errors are painted by linkspan alone, and not with --no-color", async () => {
  const ended = await bash(
    "for o in \"\" --no-color; do script -qefc \"'$1' '$2' network frob $o\" /dev/null < /dev/null; done",
  )
  const [coloured = "", , plain = ""] = ended.stdout.split("\n")
  expect(coloured).toStartWith("\u001b[31mlinkspan:\u001b[0m Cannot run")
  expect(plain).toStartWith("linkspan: Cannot run")
  expect(ended.stdout.split("\n").slice(2).join("")).not.toContain("\u001b")
})

test("a slow reader of stderr gets everything, also where writing does not wait", async () => {
  const unblocked = "import os,sys; os.set_blocking(2, False); os.execv(sys.argv[1], sys.argv[1:])"
  const { stdout } = await bash(
    `python3 -c '${unblocked}' "$1" "$2" network create web 2>&1 > /dev/null | (sleep 0.3; wc -c)`,
    "verbose",
  )
  expect(Number(stdout)).toBe("linkspan: warning: \n".length + 1_000_000)
})

test("without a terminal there is no colour", async () => {
  const ended = await bash('"$1" "$2" network ls 2>&1; "$1" "$2" network frob 2>&1')
  expect(ended.stdout).not.toContain("\u001b")
})
