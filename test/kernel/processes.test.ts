// The product starts no ip, nft, iptables, bridge or any other program but the user's own: every execution is watched.

import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { Host } from "../host.ts"

const LINKSPAN = [process.execPath, "--no-env-file", join(import.meta.dir, "../../src/main.ts")]

/** Names of the programs that were executed with success, in order; one that is executed by descriptor is init's. */
function executed(trace: string): string[] {
  return trace
    .split("\n")
    .filter((line) => / = 0$/.test(line))
    .flatMap((line) => /execve(?:at)?\((?:[0-9]+, )?"([^"]*)"/.exec(line)?.slice(1) ?? [])
    .map((path) => (path === "" ? "linkspan-init" : basename(path)))
}

test("a whole life executes nothing but linkspan and the commands of containers", async () => {
  const trace = `exec strace -f -qq -A -e trace=execve,execveat -o "$LINKSPAN_STATE_DIR.trace" "$@"`
  await using host = await Host.create({ cli: ["sh", "-c", trace, "sh", ...LINKSPAN] })
  const cli = async (...args: string[]) => (await host.cli(args)).ok().stdout
  const a = await host.netns("a")
  await host.loadNft("table inet theirs { chain forward { type filter hook forward priority 0; policy drop; }; }")
  await host.baseline()
  await cli("network", "create", "web", "--ipv6")
  await cli("network", "create", "db", "--no-icc", "--internal")
  await cli("attach", "a", "--netns", a.path, "--network", "web", "-p", "8080:80", "-p", "53:53/udp")
  await cli("attach", "n", `--new=${host.unique("n")}`, "--network", "web", "--network", "db")
  // Whoever traces waits for all that it traces, so nothing stays behind in the background.
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

  const programs = executed(readFileSync(`${host.stateDir}.trace`, "utf8"))
  const own = basename(process.execPath)
  expect(programs.filter((name) => ![own, "linkspan-init", "sh", "sleep", "true"].includes(name))).toEqual([])
  expect(programs.filter((name) => name === "linkspan-init").length).toBe(2)
  expect(programs.filter((name) => name === own).length).toBeGreaterThan(15)
})
