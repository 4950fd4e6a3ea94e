// Limits of rates, seen by tc and by how long a transfer takes at least.

import { expect, test } from "bun:test"
import { Host } from "../host.ts"
import type { Netns } from "../netns.ts"

const BYTES = 1_000_000
const RATE = 8_000_000
/** What is in the bucket at first goes at once. */
const LEAST_SECONDS = ((BYTES - 65_550) * 8) / RATE - 0.05

const SERVER = `
import socket
s = socket.create_server(("", 9000)); print("ready", flush=True)
c, _ = s.accept(); c.sendall(b"x" * ${BYTES})
while c.recv(65536): pass
`
const CLIENT = `
import socket, sys, time, json
c = socket.create_connection((sys.argv[1], 9000))
c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
began = time.monotonic(); n = 0
while n < ${BYTES}: n += len(c.recv(65536))
received = time.monotonic() - began; began = time.monotonic()
c.sendall(b"x" * ${BYTES}); c.shutdown(socket.SHUT_WR); c.recv(1)
print(json.dumps({"received": received, "sent": time.monotonic() - began}))
`

async function buckets(netns: Netns): Promise<unknown[]> {
  const found = (await netns.exec(["tc", "-j", "qdisc", "show"])).json<{ kind: string }[]>()
  return found.filter(({ kind }) => kind === "tbf")
}

test("a container receives and sends no faster than it may, reconcile puts a lost limit back, and nothing stays", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  ;(await host.cli(["network", "create", "web", "--subnet", "10.77.0.0/24"])).ok()
  const limits = ["--rate-in", "8mbit", "--rate-out", "8mbit"]
  ;(await host.cli(["attach", "--netns", a.path, "--network", "web", ...limits, "a"])).ok()
  const bucket = expect.objectContaining({ root: true, options: expect.objectContaining({ rate: RATE / 8 }) })
  expect([await buckets(host), await buckets(a)]).toEqual([[bucket], [bucket]])
  await using server = host.start(["python3", "-c", SERVER])
  expect(await server.nextLine()).toBe("ready")
  const took = (await a.exec(["python3", "-c", CLIENT, "10.77.0.1"])).json<{ received: number; sent: number }>()
  expect(took.received).toBeGreaterThan(LEAST_SECONDS)
  expect(took.sent).toBeGreaterThan(LEAST_SECONDS)

  await a.exec(["tc", "qdisc", "del", "dev", "eth0", "root"])
  expect((await host.cli(["inspect", "a"])).ok().stdout).toContain("sends without a limit instead of at 8 Mbit/s")
  expect((await host.cli(["reconcile"])).ok().stdout).toContain("sends without a limit")
  expect(await buckets(a)).toEqual([bucket])
  ;(await host.cli(["detach", "a"])).ok()
  ;(await host.cli(["network", "rm", "web"])).ok()
})

test("a plan says how a rate is limited, and what is no rate is refused", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  ;(await host.cli(["network", "create", "web"])).ok()
  const attach = ["attach", "--netns", a.path, "a", "--network"]
  const plan = (await host.cli([...attach, "web:rate-in=1.5gbit", "--dry-run"])).ok().stdout
  expect(plan).toMatch(/tc qdisc replace dev \S+ root tbf rate 1500000000bit burst \d+ latency 25ms/)
  expect((await host.cli([...attach, "web", "--rate-in", "fast"])).stderr).toContain("must be a rate as 500kbit")
  expect((await host.cli([...attach, "web", "--rate-out", "7"])).stderr).toContain("8000")
  ;(await host.cli(["network", "rm", "web"])).ok()
})
