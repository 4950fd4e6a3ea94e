import { expect, test } from "bun:test"
import { parseAardvarkLine } from "./aardvark-line.ts"
import { UsageError } from "./command-line.ts"

test("parseAardvarkLine() takes what netavark gives", () => {
  expect(parseAardvarkLine(["--config", "/run/x", "-p", "53", "run"])).toEqual({
    verb: "run",
    config: "/run/x",
    port: 53,
    domain: "dns.podman",
  })
  expect(parseAardvarkLine(["run", "--config=/run/x", "--port=5353", "-f", ".lab."])).toEqual({
    verb: "run",
    config: "/run/x",
    port: 5353,
    domain: "lab",
  })
})

test.each([
  [[]],
  [["run"]],
  [["walk", "-c", "x"]],
  [["run", "run", "-c", "x"]],
  [["run", "-c"]],
  [["run", "-c", "x", "-p", "65536"]],
  [["run", "-c", "x", "-z"]],
])("parseAardvarkLine() refuses %p", (args: string[]) => {
  expect(() => parseAardvarkLine(args)).toThrow(UsageError)
})
