import { expect, test } from "bun:test"
import type { Ifname } from "./name.ts"
import { parseVlanParent } from "./vlan-parent.ts"

test.each([
  ["eth0.10", { link: "eth0", id: 10 }],
  ["eth0.1", { link: "eth0", id: 1 }],
  ["eth0.4094", { link: "eth0", id: 4094 }],
  ["eth0.10.20", { link: "eth0.10", id: 20 }],
  ["eth0", undefined],
  ["eth0.", undefined],
  ["eth0.0", undefined],
  ["eth0.010", undefined],
  ["eth0.4095", undefined],
  ["eth0.x", undefined],
  [".10", undefined],
])("parseVlanParent(%p)", (parent, want) => {
  expect(parseVlanParent(parent as Ifname)).toEqual(want as never)
})
