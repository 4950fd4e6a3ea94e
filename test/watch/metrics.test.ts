// Metrics and rates, told by another program's parser and by traffic of known size.

import { expect, test } from "bun:test"
import { ADDRESSES, Host } from "../host.ts"
import { run, until } from "../run.ts"

/** Every sample, as the reference implementation's parser reads the text: "name{labels}" to value. */
const PARSE = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
print(json.dumps({s.name + json.dumps(s.labels, sort_keys=True, separators=(",", ":")): s.value
  for family in text_string_to_metric_families(sys.stdin.read()) for s in family.samples}))
`

async function scrape(host: Host, address: string): Promise<Record<string, number>> {
  const { stdout } = await host.exec(["curl", "--silent", "--fail", "--include", `http://${address}/metrics`])
  const [head = "", body = ""] = stdout.split("\r\n\r\n", 2)
  expect(head.toLowerCase()).toContain("content-type: application/openmetrics-text; version=1.0.0")
  return (await run(["/usr/bin/python3", "-c", PARSE], { input: body })).ok().json()
}

test("the resident process serves OpenMetrics, with labels of which there are few", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  await using daemon = host.startCli(["daemon", "--metrics", "9475"])
  await until(async () => ((await host.connect("127.0.0.1", 9475)).error === "ECONNREFUSED" ? undefined : true), 20_000)
  const before = await scrape(host, "127.0.0.1:9475")
  expect(before).toMatchObject({ 'linkspan_build_info{"version":"0.1.0"}': 1, "linkspan_containers{}": 0 })

  ;(await host.cli(["network", "create", "web", "--subnet", "10.81.0.0/24"])).ok()
  ;(await host.cli(["attach", "--netns", a.path, "--network", "web", "a"])).ok()
  await using server = await host.outside.listen(80)
  expect(await a.connect(ADDRESSES.internet4, server.port, { payload: `${"x".repeat(5000)}\n` })).toMatchObject({
    ok: true,
  })
  await a.inject("eth0", { dstMac: "ff:ff:ff:ff:ff:ff", src: "10.81.0.77", dst: "10.81.0.1", count: 3 })
  const during = await scrape(host, "127.0.0.1:9475")
  expect(during).toMatchObject({
    "linkspan_containers{}": 1,
    'linkspan_networks{"driver":"bridge"}': 1,
    'linkspan_network_endpoints{"network":"web"}': 1,
    'linkspan_refused_packets_total{"reason":"spoofed_ip4"}': 3,
    'linkspan_events_total{"kind":"attached"}': 1,
  })
  const sent = 'linkspan_network_transmit_bytes_total{"network":"web"}'
  expect(during[sent]).toBeGreaterThan(5000)
  expect(Object.keys(during).join("\n")).not.toContain('"a"')

  // What has been counted stays counted.
  ;(await host.cli(["detach", "a"])).ok()
  const after = await scrape(host, "127.0.0.1:9475")
  expect(after).toMatchObject({ "linkspan_containers{}": 0, 'linkspan_events_total{"kind":"detached"}': 1 })
  expect(after[sent]).toBe(during[sent] as number)
  expect((await host.exec(["curl", "--silent", "http://127.0.0.1:9475/other"])).stdout).toStartWith("Not found")
  ;(await host.cli(["network", "rm", "web"])).ok()
  ;(await host.cli(["daemon", "--stop"])).ok()
  expect(await daemon.exited).toBe(0)
})

test("what becomes of questions is told by dns status, and counted in metrics across restarts", async () => {
  await using host = await Host.create({ names: true })
  const a = await host.netns("a")
  expect((await host.cli(["dns", "status"])).stdout).toStartWith("No process answers names")
  ;(await host.cli(["network", "create", "web", "--subnet", "10.81.0.0/24", "--internal"])).ok()
  ;(await host.cli(["attach", "--netns", a.path, "--network", "web", "one"])).ok()
  const ask = (name: string) => a.exec(["dig", "+short", "+tries=1", "+time=5", "@127.0.0.11", name])
  await ask("one.web")
  await ask("one")
  await ask("example.org")
  const { stdout } = await host.cli(["dns", "status", "-o", "json"])
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ containers: 1, gateways: 1, active: 0, kept: 0 },
    counters: { queries: 3, local: 2, cached: 0, forwarded: 0, failed: 0, refused: 1, malformed: 0 },
  })
  expect((await host.cli(["dns", "status"])).stdout).toMatch(/^answers at 1 container and 1 gateway address$/m)

  await using daemon = host.startCli(["daemon", "--metrics", "9475"])
  await until(async () => ((await host.connect("127.0.0.1", 9475)).error === "ECONNREFUSED" ? undefined : true), 20_000)
  const local = 'linkspan_dns_questions_total{"answer":"local"}'
  expect(await scrape(host, "127.0.0.1:9475")).toMatchObject({ "linkspan_dns_up{}": 1, [local]: 2 })
  ;(await host.cli(["dns", "serve", "--stop"])).ok()
  expect(await scrape(host, "127.0.0.1:9475")).toMatchObject({ "linkspan_dns_up{}": 0, [local]: 2 })
  ;(await host.cli(["network", "update", "web", "--label", "again=yes"])).ok()
  for (let times = 0; times < 3; times++) {
    await ask("one")
  }
  expect(await scrape(host, "127.0.0.1:9475")).toMatchObject({ "linkspan_dns_up{}": 1, [local]: 5 })
  ;(await host.cli(["detach", "one"])).ok()
  ;(await host.cli(["network", "rm", "web"])).ok()
  ;(await host.cli(["daemon", "--stop"])).ok()
  expect(await daemon.exited).toBe(0)
})

test("top shows what goes over a container's interface while it goes", async () => {
  await using host = await Host.create()
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  ;(await host.cli(["network", "create", "web", "--subnet", "10.81.0.0/24"])).ok()
  ;(await host.cli(["attach", "--netns", a.path, "--network", "web", "a"])).ok()
  ;(await host.cli(["attach", "--netns", b.path, "--network", "web", "b"])).ok()
  const top = host.startCli(["top", "-o", "json"])
  await top.nextLine()
  // A thousand bytes, ten times a second.
  const ping = a.start(["ping", "-i", "0.1", "-s", "972", "10.81.0.3"])
  const busy = await until(async () => {
    const rates = JSON.parse(await top.nextLine()) as { container: string; rxBytes: number; txBytes: number }[]
    return rates.every(({ rxBytes, txBytes }) => rxBytes > 1000 && txBytes > 1000) ? rates : undefined
  }, 20_000)
  expect(busy?.map(({ container }) => container).toSorted()).toEqual(["a", "b"])
  for (const { rxBytes, txBytes } of busy ?? []) {
    expect(rxBytes).toBeLessThan(30_000)
    expect(txBytes).toBeLessThan(30_000)
  }
  await ping.stop()
  await top.stop()
  expect((await host.cli(["top", "-n", "1"])).ok().stdout).toMatch(/^CONTAINER +NETWORK +INTERFACE .*\n[ab] +web +eth0/)
  ;(await host.cli(["detach", "a", "b"])).ok()
  ;(await host.cli(["network", "rm", "web"])).ok()
})
