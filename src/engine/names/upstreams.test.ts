import { expect, test } from "bun:test"
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { hostServers, watchUpstreams } from "./upstreams.ts"

function files() {
  const directory = mkdtempSync(join(tmpdir(), "linkspan-upstreams-"))
  return {
    directory,
    resolvConf: join(directory, "resolv.conf"),
    resolved: join(directory, "resolved.conf"),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  }
}

test("hostServers() reads resolv.conf, and what systemd-resolved asks when only its stub is in it", () => {
  using host = files()
  expect(hostServers(host)).toEqual(["127.0.0.1" as never])
  writeFileSync(
    host.resolvConf,
    "# nameserver 192.0.2.1\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\n nameserver 2001:db8::53\n",
  )
  expect(hostServers(host)).toEqual(["192.0.2.53", "2001:db8::53"] as never)
  writeFileSync(host.resolvConf, "nameserver 127.0.0.53\noptions edns0\n")
  expect(hostServers(host)).toEqual(["127.0.0.53"] as never)
  writeFileSync(host.resolved, "nameserver 192.0.2.54\n")
  expect(hostServers(host)).toEqual(["192.0.2.54"] as never)
})

for (const { name, change } of [
  { name: "written", change: (path: string) => writeFileSync(path, "nameserver 192.0.2.9\n") },
  {
    name: "replaced",
    change: (path: string) => {
      writeFileSync(`${path}.new`, "nameserver 192.0.2.9\n")
      renameSync(`${path}.new`, path)
    },
  },
  { name: "removed", change: (path: string) => rmSync(path) },
]) {
  test(`watchUpstreams() tells when the file is ${name}, also behind a link`, async () => {
    using host = files()
    using elsewhere = files()
    writeFileSync(elsewhere.resolvConf, "nameserver 192.0.2.1\n")
    symlinkSync(elsewhere.resolvConf, host.resolvConf)
    const changed = Promise.withResolvers<void>()
    using _watch = watchUpstreams(() => changed.resolve(), host)
    change(elsewhere.resolvConf)
    await changed.promise
  })
}
