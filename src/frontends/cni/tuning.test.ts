import { expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readConfig } from "./request.ts"
import { wantedSettings } from "./tuning.ts"

function settings(keys: object, allowlist = "/nonexistent", isChained = false) {
  const text = JSON.stringify({ cniVersion: "1.0.0", name: "lab", ...keys })
  return wantedSettings(readConfig("ADD", text, {}), { isChained, allowlist }).settings
}

test("settings are read from the configuration and args.cni, which goes before", () => {
  const sysctl = { "net.core.somaxconn": "1", "net.ipv4.conf.IFNAME.arp_filter": "1" }
  expect(settings({})).toBeUndefined()
  expect(settings({ promisc: false, sysctl: {} })).toBeUndefined()
  expect(settings({ Promisc: true, sysctl, args: { cni: { sysctl: { "net.core.somaxconn": "2" } } } })).toEqual({
    promisc: true,
    sysctls: { ...sysctl, "net.core.somaxconn": "2" },
  })
  expect(settings({ mtu: 1400 })).toBeUndefined()
  expect(settings({ mtu: 1400 }, undefined, true)).toEqual({ mtu: 1400 })
})

test("what the list of allowed settings does not have is refused", () => {
  const directory = mkdtempSync(join(tmpdir(), "linkspan-tuning-"))
  try {
    const allowlist = join(directory, "allowlist.conf")
    writeFileSync(allowlist, "# only the interface's\n^net\\.ipv4\\.conf\\.IFNAME\\.[a-z_]*$\n\n")
    const allowed = { sysctl: { "net.ipv4.conf.IFNAME.arp_filter": "1" } }
    expect(settings(allowed, allowlist)).toEqual({ sysctls: allowed.sysctl })
    expect(() => settings({ sysctl: { "net.core.somaxconn": "1" } }, allowlist)).toThrow(
      expect.objectContaining({ code: 7, message: expect.stringContaining('"net.core.somaxconn"') }),
    )
  } finally {
    rmSync(directory, { recursive: true })
  }
})
