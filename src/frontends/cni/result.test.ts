import { expect, test } from "bun:test"
import { type Result, resultAnswer } from "./result.ts"

const RESULT: Result = {
  interfaces: [
    { name: "cni0", mac: "02:00:00:00:00:01", mtu: 1400 },
    { name: "lv-0", mtu: 1400 },
    { name: "eth0", mac: "02:00:00:00:00:02", mtu: 1400, sandbox: "/run/netns/x" },
  ],
  ips: [
    { interface: 2, address: "10.77.1.2/24", gateway: "10.77.1.1" },
    { interface: 2, address: "fd77::2/64" },
  ],
  routes: [{ dst: "0.0.0.0/0", gw: "10.77.1.1", priority: 7 }],
  dns: {},
}

const answer = (result: Result, version: Parameters<typeof resultAnswer>[1]) =>
  JSON.parse(resultAnswer(result, version))

test("resultAnswer() in 1.1.0 has everything", () => {
  expect(answer(RESULT, "1.1.0")).toEqual({ cniVersion: "1.1.0", ...RESULT, dns: undefined })
})

test("resultAnswer() in 1.0.0 has neither MTUs nor metrics", () => {
  expect(answer(RESULT, "1.0.0")).toEqual({
    cniVersion: "1.0.0",
    interfaces: [
      { name: "cni0", mac: "02:00:00:00:00:01" },
      { name: "lv-0" },
      { name: "eth0", mac: "02:00:00:00:00:02", sandbox: "/run/netns/x" },
    ],
    ips: RESULT.ips,
    routes: [{ dst: "0.0.0.0/0", gw: "10.77.1.1" }],
  })
})

test.each(["0.3.0", "0.3.1", "0.4.0"] as const)("resultAnswer() in %s says the family of each address", (version) => {
  expect(answer(RESULT, version)).toMatchObject({
    cniVersion: version,
    ips: [
      { version: "4", interface: 2, address: "10.77.1.2/24", gateway: "10.77.1.1" },
      { version: "6", interface: 2, address: "fd77::2/64" },
    ],
    dns: {},
  })
})

test("resultAnswer() has no empty lists", () => {
  expect(answer({ interfaces: [], ips: [], routes: [], dns: {} }, "1.1.0")).toEqual({ cniVersion: "1.1.0" })
})
