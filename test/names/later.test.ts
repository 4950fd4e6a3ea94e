// Other people's name servers on the same machine, started when linkspan already answers.

import { expect, test } from "bun:test"
import { Host } from "../host.ts"
import { until } from "../run.ts"
import { cli, dig, upstream } from "./tools.ts"

/** As unbound, BIND and CoreDNS open theirs: every address, SO_REUSEPORT. */
const ANYWHERE = "0.0.0.0 reuseport"

test("a name server that comes later may have every other address of the host, and of a container", async () => {
  await using host = await Host.create({ names: true })
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  await cli(host, "network create web --subnet 10.89.7.0/24")
  await cli(host, "attach a --network web --netns", a.path)
  await cli(host, "attach b --network web --netns", b.path)
  {
    await using _host = await upstream(host, ANYWHERE, "198.51.100.1")
    await using _container = await upstream(b, ANYWHERE, "198.51.100.2")
    expect(await dig(host, "@127.0.0.1", "a.web")).toEqual(["198.51.100.1"])
    expect(await dig(host, "+tcp", "@127.0.0.1", "a.web")).toEqual(["198.51.100.1"])
    expect(await dig(a, "@10.89.7.3", "a.web")).toEqual(["198.51.100.2"])
    // Where linkspan was first, it stays.
    for (const where of ["@127.0.0.11", "@10.89.7.1"]) {
      expect(await dig(b, where, "a.web")).toEqual(["10.89.7.2"])
      expect(await dig(b, "+tcp", where, "a.web")).toEqual(["10.89.7.2"])
    }
  }
  await cli(host, "detach a")
  await cli(host, "detach b")
  await cli(host, "network rm web")
})

test("dnsmasq comes later where it is told to leave linkspan's bridges alone", async () => {
  await using host = await Host.create({ names: true })
  const a = await host.netns("a")
  // dnsmasq offers TCP fast open, for which the kernel makes a key once.
  await host.setSysctl("net.ipv4.tcp_fastopen_key", "01020304-05060708-090a0b0c-0d0e0f10")
  await host.baseline()
  await cli(host, "network create web --subnet 10.89.7.0/24")
  await cli(host, "attach a --network web --netns", a.path)
  {
    await using _dnsmasq = host.start([
      ...["/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts", "--no-resolv"],
      ...["--user=root", "--pid-file", "--log-facility=-", "--address=/one.test/198.51.100.1"],
      ...["--bind-dynamic", "--except-interface=ls-*"],
    ])
    const answers = async () => (await dig(host, "@127.0.0.1", "one.test"))[0] === "198.51.100.1"
    expect(await until(async () => (await answers()) || undefined, 10_000)).toBe(true)
    expect(await dig(a, "@10.89.7.1", "a.web")).toEqual(["10.89.7.2"])
  }
  await cli(host, "detach a")
  await cli(host, "network rm web")
})
