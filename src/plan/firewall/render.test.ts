import { expect, test } from "bun:test"
import type { NftElement } from "#plan/op.ts"
import { renderTransaction } from "./render.ts"

const port = (hostPort: number, to: string): NftElement => ({
  table: "inet",
  set: "published4",
  key: `tcp . ${hostPort}`,
  value: to,
})

test("renderTransaction() deletes by key before it adds, one statement a set", () => {
  const text = renderTransaction({
    add: [
      port(80, "10.89.0.3 . 80"),
      { table: "bridge", set: "detached", key: '"vethweb1"' },
      port(81, "10.89.0.3 . 81"),
    ],
    del: [port(80, "10.89.0.2 . 80")],
  })
  expect(text).toBe(
    [
      "delete element inet linkspan published4 { tcp . 80 }",
      "add element inet linkspan published4 { tcp . 80 : 10.89.0.3 . 80, tcp . 81 : 10.89.0.3 . 81 }",
      'add element bridge linkspan detached { "vethweb1" }',
      "",
    ].join("\n"),
  )
})

test("renderTransaction() of no change is no text", () => {
  expect(renderTransaction({ add: [], del: [] })).toBe("")
})

test("renderTransaction() names an element once", () => {
  expect(renderTransaction({ add: [], del: [port(80, "10.89.0.2 . 80"), port(80, "10.89.0.2 . 80")] })).toBe(
    "delete element inet linkspan published4 { tcp . 80 }\n",
  )
})
