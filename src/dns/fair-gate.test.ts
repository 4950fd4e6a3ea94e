import { expect, test } from "bun:test"
import { FairGate } from "./fair-gate.ts"

test("FairGate.pass() lets askers in by turns, and no asker has more than its share", async () => {
  const gate = new FairGate({ total: 2, perAsker: 2, waitingPerAsker: 10 })
  const order: string[] = []
  const run = (asker: string) =>
    gate.pass(asker, async () => {
      order.push(asker)
      await Promise.resolve()
    })
  await Promise.all([run("greedy"), run("greedy"), run("greedy"), run("greedy"), run("modest"), run("other")])
  expect(order.indexOf("modest")).toBeLessThan(5)
  expect(order.indexOf("other")).toBeLessThan(5)
  expect(order).toHaveLength(6)
  expect(gate.active).toBe(0)
})

test("FairGate.pass() turns away one that waits with too many", async () => {
  const gate = new FairGate({ total: 10, perAsker: 1, waitingPerAsker: 1 })
  const end = Promise.withResolvers<string>()
  const first = gate.pass("a", () => end.promise)
  const second = gate.pass("a", () => end.promise)
  expect(await gate.pass("a", async () => "never")).toBeUndefined()
  expect(await gate.pass("b", async () => "at once")).toBe("at once")
  end.resolve("done")
  expect(await Promise.all([first, second])).toEqual(["done", "done"])
})

test("FairGate.pass() gives its place back when the body fails", async () => {
  const gate = new FairGate({ total: 1, perAsker: 1, waitingPerAsker: 1 })
  await gate.pass("a", () => Promise.reject(new Error("no"))).catch(() => undefined)
  expect(await gate.pass("a", async () => "yes")).toBe("yes")
})
