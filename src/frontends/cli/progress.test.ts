import { expect, test } from "bun:test"
import { trackProgress } from "./progress.ts"

async function track(terminal: boolean, globals = { debug: false, quiet: false }) {
  const shown: string[] = []
  const progress = await trackProgress(
    {
      progress: (line) => shown.push(line),
      err: (line) => shown.push(`err ${line}`),
      stderrIsTerminal: async () => terminal,
    },
    globals,
  )
  const step = (index: number) => progress.options.onProgress?.({ index, total: 2, line: "ip link add \u001b" })
  return { shown, progress, step }
}

test("a change that takes long shows its steps on a terminal, and takes them away again", async () => {
  const { shown, progress, step } = await track(true)
  step(0)
  expect(shown).toEqual([])
  await Bun.sleep(320)
  step(1)
  step(2)
  progress.clear()
  progress.clear()
  expect(shown).toEqual(["[2/2] ip link add \\x1b", ""])
})

test("nobody is told where nobody looks", async () => {
  expect((await track(false)).progress.options).toEqual({})
  expect((await track(true, { debug: false, quiet: true })).progress.options).toEqual({})
})

test("--debug tells every step, wherever it goes", async () => {
  const { shown, step } = await track(false, { debug: true, quiet: true })
  for (const index of [0, 1, 2]) {
    step(index)
  }
  expect(shown).toEqual(["err + [1/2] ip link add \\x1b", "err + [2/2] ip link add \\x1b"])
})
