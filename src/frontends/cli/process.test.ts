// The command line as a process: pipes that close, disks that are full, start-up.

import { expect, test } from "bun:test"

const EXECUTABLE = new URL("./testing/executable.ts", import.meta.url).pathname

interface Ended {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

async function bash(script: string): Promise<Ended> {
  const process = Bun.spawn(["bash", "-c", script, "bash", globalThis.process.execPath, EXECUTABLE], {
    stdout: "pipe",
    stderr: "pipe",
    env: { ...globalThis.process.env, LINKSPAN_TEST_FAKE: "many" },
  })
  const [stdout, stderr] = await Promise.all([process.stdout.text(), process.stderr.text()])
  return { status: await process.exited, stdout, stderr }
}

test("a reader that has seen enough is no error", async () => {
  const ended = await bash('"$1" "$2" network ls | head -1; exit $PIPESTATUS')
  expect(ended).toMatchObject({ status: 0, stderr: "" })
  expect(ended.stdout).toStartWith("NAME")
})

test("a slow reader gets everything", async () => {
  const { stdout } = await bash('"$1" "$2" network ls -q | (sleep 0.3; wc -l)')
  expect(stdout.trim()).toBe("20000")
})

test("a result that cannot be written is an error, and no bug", async () => {
  const ended = await bash('"$1" "$2" network ls > /dev/full')
  expect(ended.status).toBe(74)
  expect(ended.stderr).toStartWith("linkspan: Cannot write the result: ENOSPC")
})

test("without a terminal there is no colour", async () => {
  const ended = await bash('"$1" "$2" network ls 2>&1; "$1" "$2" network frob 2>&1')
  expect(ended.stdout).not.toContain("\u001b")
})
