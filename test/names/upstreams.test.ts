// The host's own name servers, as they change under a running daemon.

import { expect, test } from "bun:test"
import { renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ADDRESSES, Host } from "../host.ts"
import { until } from "../run.ts"
import { cli, dig, upstream } from "./tools.ts"

const MAIN = join(import.meta.dir, "../../src/main.ts")
/** An /etc of its own. */
const PRIVATE_ETC = 'mount -t tmpfs tmpfs /etc && echo "$0" > /etc/resolv.conf && exec "$@"'

test("a host that comes to another network asks its servers there, and forgets what was said elsewhere", async () => {
  await using host = await Host.create({ names: true })
  const a = await host.netns("a")
  await using _here = await upstream(host.outside, ADDRESSES.outside4, "198.51.100.7")
  await using _there = await upstream(host.outside, ADDRESSES.outside6, "198.51.100.8")
  // A stub on this machine is within reach of the host alone.
  await using _stub = await upstream(host, "127.0.0.53", "198.51.100.9")
  const daemon = host.start([
    ...["unshare", "--mount", "sh", "-c", PRIVATE_ETC, `nameserver ${ADDRESSES.outside4}`],
    ...[process.execPath, MAIN, "dns", "serve", "--state-dir", host.stateDir, "--run-dir", host.runDir],
  ])
  await cli(host, "network create web --subnet 10.89.7.0/24")
  const serves = async () => (await host.cli(["dns", "status"])).stdout.startsWith("process ") || undefined
  expect(await until(serves, 20_000)).toBe(true)
  await cli(host, "attach a --network web --netns", a.path)
  const told = () => dig(a, "@127.0.0.11", "www.example.org")
  expect(await told()).toEqual(["198.51.100.7"])

  const etc = `/proc/${daemon.pid}/root/etc`
  const becomes = async (server: string, answer: string): Promise<void> => {
    // As NetworkManager and resolvconf do it.
    writeFileSync(`${etc}/resolv.conf.new`, `nameserver ${server}\n`)
    renameSync(`${etc}/resolv.conf.new`, `${etc}/resolv.conf`)
    expect(await until(async () => (await told())[0] === answer || undefined, 10_000)).toBe(true)
  }
  await becomes(ADDRESSES.outside6, "198.51.100.8")
  await becomes("127.0.0.53", "198.51.100.9")
  expect((await host.cli(["dns", "status"])).stdout).toContain("asks 127.0.0.53 where nobody else is named\n")
  await cli(host, "detach a")
  await cli(host, "dns serve --stop")
  expect(await daemon.exited).toBe(0)
  await cli(host, "network rm web")
})
