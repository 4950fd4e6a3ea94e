import { expect, test } from "bun:test"
import { checkNameQuery } from "./validate-name-query.ts"

for (const { request, want } of [
  { request: { name: "api.web.", from: "a" }, want: { name: "api.web", type: "A", from: "a" } },
  { request: { name: "api", type: "AAAA", from: "a" }, want: { name: "api", type: "AAAA", from: "a" } },
  { request: { name: "10.89.0.2", from: "a" }, want: { name: "2.0.89.10.in-addr.arpa", type: "PTR", from: "a" } },
  {
    request: { name: "2001:db8::1f", from: "a" },
    want: { name: `f.1.${"0.".repeat(22)}8.b.d.0.1.0.0.2.ip6.arpa`, type: "PTR", from: "a" },
  },
]) {
  test(`checkNameQuery() reads ${request.name}`, () => {
    expect(checkNameQuery(request).value).toEqual(want as never)
  })
}

test("checkNameQuery() tells every mistake", () => {
  expect(checkNameQuery({ name: "a..b", type: "AAA", from: "-" }).issues.map(({ path }) => path)).toEqual([
    "type",
    "from",
    "name",
  ])
  expect(checkNameQuery({ name: "x".repeat(64), from: "a" }).issues).toHaveLength(1)
})
