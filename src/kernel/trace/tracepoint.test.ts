import { expect, test } from "bun:test"
import { onlineCpus } from "./perf-ring.ts"
import { functionIn } from "./symbols.ts"
import { parseFormat } from "./tracepoint.ts"

test("parseFormat() reads fields of all shapes, and names of numbers", () => {
  const { id, offsets, symbols } = parseFormat(`name: kfree_skb
ID: 2310
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;

\tfield:__data_loc char[] name;\toffset:8;\tsize:4;\tsigned:0;
\tfield:const void * skbaddr;\toffset:16;\tsize:8;\tsigned:0;
\tfield:char comm[16];\toffset:24;\tsize:16;\tsigned:0;
\tfield:enum skb_drop_reason reason;\toffset:40;\tsize:4;\tsigned:0;

print fmt: "reason: %s", __print_symbolic(REC->reason, { 2, "NOT_SPECIFIED" }, { 64, "QDISC_DROP" })
`)
  expect(id).toBe(2310)
  expect(Object.fromEntries(offsets)).toEqual({ common_type: 0, name: 8, skbaddr: 16, comm: 24, reason: 40 })
  expect(Object.fromEntries(symbols)).toEqual({ 2: "NOT_SPECIFIED", 64: "QDISC_DROP" })
})

test("functionIn() finds the function around an address", () => {
  const kallsyms = [
    "ffffffff81000000 T first",
    "ffffffffc0001000 t of_module\t[bridge]",
    "ffffffff81000200 T third",
    "ffffffff81000100 t second.constprop.0",
    "ffffffff81000110 d data",
    "",
  ].join("\n")
  const named = (address: bigint) => functionIn(kallsyms, address)
  expect(named(0xffffffff81000000n)).toBe("first")
  expect(named(0xffffffff810001ffn)).toBe("second")
  expect(named(0xffffffffc0001004n)).toBe("of_module")
  expect(named(0x1000n)).toBeUndefined()
  expect(functionIn(kallsyms.replaceAll(/^[0-9a-f]+/gm, "0".repeat(16)), 0xffffffff81000000n)).toBeUndefined()
})

test("onlineCpus() reads ranges", () => {
  expect(onlineCpus("0\n")).toEqual([0])
  expect(onlineCpus("0-2,8,10-11\n")).toEqual([0, 1, 2, 8, 10, 11])
})
