import { expect, test } from "bun:test"
import { Linger } from "./linger.ts"

/** Resolves with how long it stayed, in ms. */
async function stay(networks: boolean | Error, calls: (linger: Linger) => Promise<void> = async () => undefined) {
  const ended = Promise.withResolvers<void>()
  let looks = 0
  const began = performance.now()
  using linger = new Linger({
    lingerMs: 200,
    emptyMs: 40,
    end: ended.resolve,
    async hasNetworks() {
      looks++
      if (networks instanceof Error) {
        throw networks
      }
      return networks
    },
  })
  await calls(linger)
  await ended.promise
  return { ms: performance.now() - began, looks }
}

test("it stays while there are networks, and not for long where there are none", async () => {
  const used = await stay(true)
  expect(used.ms).toBeGreaterThan(195)
  expect(used.looks).toBe(1)
  const [empty, lost] = [await stay(false), await stay(new Error("the state is gone"))]
  for (const { ms, looks } of [empty, lost]) {
    expect(ms).toBeGreaterThan(35)
    expect(ms).toBeLessThan(used.ms)
    expect(looks).toBe(1)
  }
})

test("each call begins it anew", async () => {
  const { ms, looks } = await stay(true, async (linger) => {
    for (let call = 0; call < 3; call++) {
      await Bun.sleep(30)
      linger.called()
    }
  })
  expect(ms).toBeGreaterThan(280)
  expect(looks).toBe(1)
})

test("what is disposed of does not end anything", async () => {
  let ended = false
  new Linger({ lingerMs: 1, emptyMs: 1, hasNetworks: async () => true, end: () => (ended = true) })[Symbol.dispose]()
  await Bun.sleep(20)
  expect(ended).toBe(false)
})
