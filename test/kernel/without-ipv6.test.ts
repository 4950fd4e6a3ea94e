// A kernel without IPv6 (ipv6.disable=1): seen by linkspan, that its settings are not there.

import { expect, test } from "bun:test"
import { join } from "node:path"
import { ADDRESSES, Host } from "../host.ts"

const LINKSPAN = [process.execPath, "--no-env-file", join(import.meta.dir, "../../src/main.ts")]
const WITHOUT = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc/sys/net/ipv6 && exec "$@"', "sh"]
const FEATURE_MISSING = 9

test("IPv4 works as ever, and what needs IPv6 is refused by name", async () => {
  await using host = await Host.create({ cli: [...WITHOUT, ...LINKSPAN] })
  const a = await host.netns("a")
  const cli = async (...args: string[]) => void (await host.cli(args)).ok()
  await cli("network", "create", "web")
  await cli("network", "create", "quiet", "--internal", "--no-icc")
  await cli("network", "create", "alone", "--gateway-mode", "isolated")
  await cli("attach", "a", "--netns", a.path, "--network", "web", "--network", "quiet", "-p", "8080:80")
  {
    await using server = await host.outside.listen(80)
    expect(await a.connect(ADDRESSES.internet4, server.port)).toMatchObject({ ok: true, seenAs: ADDRESSES.host4 })
    await using _inside = await a.listen(80)
    expect(await host.outside.connect(ADDRESSES.host4, 8080)).toMatchObject({ ok: true })
  }
  for (const args of [
    ["network", "create", "six", "--ipv6"],
    ["network", "update", "web", "--subnet", "fd77::/64"],
  ]) {
    const { code, stderr } = await host.cli(args)
    expect({ args, code, stderr }).toMatchObject({
      args,
      code: FEATURE_MISSING,
      stderr: expect.stringContaining("the kernel has no IPv6"),
    })
  }
  expect((await host.cli(["reconcile"])).ok().stdout).toBe("Everything is as it should be\n")
  await cli("detach", "a")
  await cli("network", "rm", "web", "quiet", "alone")
})
