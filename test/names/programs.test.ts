// Names as the programs of a container ask for them: C libraries, nginx, systemd.

import { expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Host } from "../host.ts"
import type { Netns } from "../netns.ts"
import { run, until } from "../run.ts"
import { cli } from "./tools.ts"

test("a program of musl's resolves names, aliases and what the search domain completes", async () => {
  await using host = await Host.create({ names: true })
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  const resolve = host.file("resolve")
  ;(await run(["musl-gcc", "-static", "-O1", "-o", resolve, join(import.meta.dir, "getaddrinfo.c")])).ok()
  await cli(host, "network create web --subnet 10.89.7.0/24")
  await cli(host, "network create inner --internal --subnet 10.89.8.0/24")
  await cli(host, "attach a --network web --alias pool --netns", a.path)
  await cli(host, "network connect inner a")
  await cli(host, "attach b --network web --alias pool --netns", b.path)
  await cli(host, "run -d --name p --network web --dns-search corp.example --add-host disk:192.0.2.7 -- sleep 1000")
  await cli(host, "run -d --name q --network inner --dns-search corp.example -- sleep 1000")
  const inside = async (container: string, ...command: string[]): Promise<string[]> =>
    (await host.cli(["exec", container, "--", ...command])).stdout.trim().split("\n").sort()
  expect(await inside("p", resolve, "a.web")).toEqual(["10.89.7.2"])
  expect(await inside("p", resolve, "pool")).toEqual(["10.89.7.2", "10.89.7.3"])
  expect(await inside("p", resolve, "disk")).toEqual(["192.0.2.7"])
  expect(await inside("p", resolve, "b")).toEqual(["10.89.7.3"])
  expect(await inside("p", "getent", "ahostsv4", "b")).toContainEqual(expect.stringMatching(/^10\.89\.7\.3 +STREAM/))
  // A network without a way out: what is not there is not there, and the list goes on.
  expect(await inside("q", resolve, "a")).toEqual(["10.89.8.2"])
  expect(await inside("q", resolve, "nothing")).toEqual([""])
  await cli(host, "rm -f p")
  await cli(host, "rm -f q")
  await cli(host, "detach a")
  await cli(host, "detach b")
  await cli(host, "network rm web inner")
})

test("nginx finds a container behind `resolver 127.0.0.11`, and the one that comes in its place", async () => {
  await using host = await Host.create({ names: true })
  const [first, second] = [await host.netns("first"), await host.netns("second")]
  await cli(host, "network create web --subnet 10.89.7.0/24")
  await cli(host, "run -d --name client --network web -- sleep 1000")
  const prefix = host.file("nginx")
  mkdirSync(prefix)
  const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${kind};`)
  writeFileSync(
    `${prefix}/nginx.conf`,
    `daemon off; master_process off; pid nginx.pid; error_log stderr; events {}
http { access_log off; ${places.join(" ")}
  server { listen 127.0.0.1:8080; resolver 127.0.0.11 ipv6=off; set $upstream shop.web;
    location / { proxy_pass http://$upstream:8000; } } }
`,
  )
  const serve = async (netns: Netns, text: string): Promise<void> => {
    await cli(host, "attach shop --network web --netns", netns.path)
    mkdirSync(`${prefix}/${text}`)
    writeFileSync(`${prefix}/${text}/index.html`, text)
    netns.start(["/usr/bin/python3", "-u", "-m", "http.server", "8000", "--directory", `${prefix}/${text}`])
  }
  const inside = (...command: string[]) => host.cli(["exec", "client", "--", ...command])
  const read = `import urllib.request; print(urllib.request.urlopen("http://127.0.0.1:8080/", timeout=5).read().decode())`
  const shows = (text: string) => async () =>
    (await inside("/usr/bin/python3", "-c", read)).stdout.trim() === text ? true : undefined
  await serve(first, "first")
  await using nginx = host.startCli([
    ...["exec", "client", "--", "nginx", "-p", prefix, "-c", `${prefix}/nginx.conf`, "-e", "stderr"],
  ])
  expect(await until(shows("first"), 15_000)).toBe(true)
  await cli(host, "detach shop")
  await first.stopAll()
  await serve(second, "second")
  expect(await until(shows("second"), 15_000)).toBe(true)
  nginx.kill("SIGTERM")
  await cli(host, "rm -f client")
  await cli(host, "detach shop")
  await cli(host, "network rm web")
})

test("the unit files say to systemd what it understands", async () => {
  await using host = await Host.create({ uplink: false })
  for (const [name, line] of [
    ["linkspan-dns.service", "dns serve --systemd-unit"],
    ["linkspan.service", "daemon --systemd-unit"],
  ] as const) {
    writeFileSync(host.file(name), (await host.cli(line.split(" "))).ok().stdout)
    const verified = await run(["systemd-analyze", "verify", host.file(name)])
    expect({ code: verified.code, said: verified.stderr }).toEqual({ code: 0, said: "" })
  }
})
