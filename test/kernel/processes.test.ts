// The product starts no ip, nft, iptables, bridge or any other program but the user's own: every execution is watched.

import { expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { CONFLIST, plugin } from "../cni/plugin.ts"
import { lan } from "../dhcp/scene.ts"
import { netavark } from "../frontends/netavark/call.ts"
import { options, PORT } from "../frontends/netavark/request.ts"
import { Host } from "../host.ts"
import { until } from "../run.ts"

const LINKSPAN = [process.execPath, "--no-env-file", join(import.meta.dir, "../../src/main.ts")]

/** Names of the programs that were executed with success, in order; one that is executed by descriptor is init's. */
function executed(trace: string): string[] {
  return trace
    .split("\n")
    .filter((line) => / = 0$/.test(line))
    .flatMap((line) => /execve(?:at)?\((?:[0-9]+, )?"([^"]*)"/.exec(line)?.slice(1) ?? [])
    .map((path) => (path === "" ? "linkspan-init" : basename(path)))
}

/** Whoever traces waits for all that it traces: what runs in the background is started, and ended, by the test. */
const TRACED = ["sh", "-c", 'exec strace -f -qq -A -e trace=execve,execveat -o "$LINKSPAN_STATE_DIR.trace" "$@"', "sh"]

function programs(host: Host): string[] {
  return executed(readFileSync(`${host.stateDir}.trace`, "utf8"))
}

test("a whole life executes nothing but linkspan and the commands of containers", async () => {
  await using host = await Host.create({ cli: [...TRACED, ...LINKSPAN] })
  const cli = async (...args: string[]) => (await host.cli(args)).ok().stdout
  const a = await host.netns("a")
  await host.loadNft("table inet theirs { chain forward { type filter hook forward priority 0; policy drop; }; }")
  await host.baseline()
  await cli("network", "create", "web", "--ipv6")
  await cli("network", "create", "db", "--no-icc", "--internal")
  await cli("attach", "a", "--netns", a.path, "--network", "web", "-p", "8080:80", "-p", "53:53/udp")
  await cli("attach", "n", `--new=${host.unique("n")}`, "--network", "web", "--network", "db")
  const x = host.startCli([
    "run",
    "--name",
    "x",
    "--network",
    "web",
    "-p",
    "81:81",
    "--",
    "sh",
    "-c",
    "echo on; exec sleep 1000",
  ])
  await x.nextLine()
  await cli("exec", "x", "--", "true")
  await cli("network", "connect", "db", "x")
  await cli("publish", "x", "82:82")
  await cli("unpublish", "x", "82:82")
  await cli("network", "update", "web", "--mtu", "1400")
  await cli("network", "disconnect", "db", "x")
  await cli("firewall", "status")
  await cli("inspect", "x")
  await host.exec(["nft", "delete", "table", "inet", "linkspan"])
  await cli("reconcile")
  await cli("rm", "--force", "x")
  await x.exited
  await cli("detach", "n")
  await cli("detach", "a")
  await cli("network", "prune")

  const own = basename(process.execPath)
  const started = programs(host)
  expect(started.filter((name) => ![own, "linkspan-init", "sh", "sleep", "true"].includes(name))).toEqual([])
  expect(started.filter((name) => name === "linkspan-init").length).toBe(2)
  expect(started.filter((name) => name === own).length).toBeGreaterThan(15)
})

test("nor do the doors for other programs, the names, the leases and the resident process", async () => {
  await using host = await Host.create({ cli: [...TRACED, ...LINKSPAN], names: true })
  await using scene = await lan(host)
  await using _server = await scene.serve()
  const [a, b, c] = [await host.netns("a"), await host.netns("b"), await host.netns("c")]
  const cli = async (...args: string[]) => (await host.cli(args)).ok().stdout
  const names = host.startCli(["dns", "serve"])
  const daemon = host.startCli(["daemon", "--docker-api", "--metrics", "127.0.0.1:9475", "--ui", "127.0.0.1:0"])
  const docker = `${host.runDir}/docker.sock`
  expect(await until(() => (existsSync(docker) ? true : undefined), 20_000)).toBe(true)

  for (const command of ["ADD", "DEL"]) {
    ;(await plugin(host, command, CONFLIST, { netns: a.path, program: [...TRACED, ...LINKSPAN, "__cni"] })).ok()
  }
  for (const verb of ["setup", "teardown"]) {
    ;(await netavark(host, [verb, b.path], { input: options({ ports: [PORT] }), before: TRACED })).ok()
  }
  await cli("network", "create", "lan", "--adopt", "lan0", "--ipam", "dhcp")
  await cli("attach", "c", "--netns", c.path, "--network", "lan")
  await cli("dns", "query", "c", "--from", "c")
  const asked = { unix: docker, method: "POST", headers: { "content-type": "application/json" } }
  const created = await fetch("http://docker/networks/create", { ...asked, body: JSON.stringify({ Name: "theirs" }) })
  expect(created.status).toBe(201)
  expect((await fetch("http://docker/networks/theirs", { unix: docker, method: "DELETE" })).status).toBe(204)
  await host.exec(["nft", "delete", "table", "inet", "linkspan"])
  await cli("reconcile")
  await cli("detach", "c")
  await cli("network", "rm", "lan")
  await cli("daemon", "--stop")
  await cli("dns", "serve", "--stop")
  await Promise.all([names.exited, daemon.exited])

  const own = basename(process.execPath)
  const started = programs(host)
  expect(started.filter((name) => ![own, "sh"].includes(name))).toEqual([])
  expect(started.filter((name) => name === own).length).toBeGreaterThan(12)
})
