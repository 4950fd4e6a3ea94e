// Brings a fresh checkout to where its commands can run: npm packages, Debian packages, Bun. Plain Node with nothing
// but built-in modules, because it runs before anything is installed. Silent when nothing is missing; progress and
// errors go to stderr.

import { spawnSync } from "node:child_process"
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..")

/**
 * What is needed beyond Node and npm, by purpose. `has` is how to tell on a machine without dpkg: a command, or a
 * library's file name. A purpose includes those named in `PURPOSES`.
 */
const PACKAGES = {
  run: [{ name: "libnftables1", has: "libnftables.so.1", why: "linkspan's firewall" }],
  test: [
    { name: "bind9-dnsutils", has: "dig", why: "questions by somebody else's resolver" },
    { name: "busybox-static", has: "busybox", why: "a root filesystem in one file" },
    { name: "chromium-headless-shell", has: "chromium-headless-shell", why: "a browser for the page" },
    { name: "conntrack", has: "conntrack", why: "the test's view of flows" },
    { name: "dnsmasq-base", has: "dnsmasq", why: "a name server outside" },
    { name: "aardvark-dns", has: "/usr/lib/podman/aardvark-dns", why: "Podman's resolver beside linkspan" },
    { name: "catatonit", has: "catatonit", why: "the init of Podman's pods" },
    { name: "crun", has: "crun", why: "what a real Podman starts containers with" },
    { name: "curl", has: "curl", why: "asks HTTP servers of linkspan's" },
    { name: "docker.io", has: "dockerd", why: "a real dockerd beside linkspan" },
    { name: "docker-compose", has: "docker-compose", why: "Compose with networks of linkspan's" },
    { name: "dbus-daemon", has: "dbus-daemon", why: "the bus of a real firewalld" },
    { name: "iperf3", has: "iperf3", why: "throughput" },
    { name: "iproute2", has: "ip", why: "the test's view of links, addresses and routes" },
    { name: "iputils-ping", has: "ping", why: "reachability" },
    { name: "iptables", has: "iptables", why: "other people's rules, as they write them" },
    { name: "musl-tools", has: "musl-gcc", why: "a program with Alpine's C library" },
    { name: "netcat-openbsd", has: "nc", why: "connections by somebody else's program" },
    { name: "nftables", has: "nft", why: "the test's view of the ruleset" },
    { name: "netavark", has: "/usr/lib/podman/netavark", why: "Podman's network engine beside linkspan's names" },
    { name: "nginx-light", has: "nginx", why: "a web server that resolves names by itself" },
    { name: "passt", has: "pasta", why: "the way out of a user's Podman" },
    { name: "openssl", has: "openssl", why: "certificates" },
    { name: "podman", has: "podman", why: "a real Podman on linkspan's networks" },
    { name: "podman-compose", has: "podman-compose", why: "several containers described in one file" },
    { name: "procps", has: "sysctl", why: "the test's view of sysctls" },
    { name: "python3", has: "python3", why: "the peers that tests talk to" },
    {
      name: "python3-dbus",
      has: "/usr/lib/python3/dist-packages/dbus/__init__.py",
      why: "what firewalld is made with",
    },
    { name: "python3-gi", has: "/usr/lib/python3/dist-packages/gi/__init__.py", why: "what firewalld is made with" },
    { name: "slirp4netns", has: "slirp4netns", why: "the way out of a user's Podman" },
    { name: "socat", has: "socat", why: "connections by somebody else's program" },
    {
      name: "python3-prometheus-client",
      has: "/usr/lib/python3/dist-packages/prometheus_client/__init__.py",
      why: "reads OpenMetrics",
    },
    { name: "strace", has: "strace", why: "sees every program that is started" },
    { name: "systemd", has: "systemd-analyze", why: "what a unit file means to it" },
    { name: "tcpdump", has: "tcpdump", why: "captures" },
    { name: "tmux", has: "tmux", why: "a terminal for the interactive tests" },
    { name: "uidmap", has: "newuidmap", why: "a user's Podman" },
    { name: "util-linux", has: "nsenter", why: "running programs inside a namespace" },
  ],
  bench: [
    { name: "containernetworking-plugins", has: "/usr/lib/cni/bridge", why: "the reference CNI chain" },
    { name: "dnsperf", has: "dnsperf", why: "questions about names, many a second" },
  ],
}

const PURPOSES = { code: [], demo: ["run"], test: ["run", "test"], bench: ["run", "test", "bench"] }

const MINUTE = 60_000

/** A failure the user can do something about: one sentence and the remedy. */
export class PrepareError extends Error {
  constructor(message, remedy) {
    super(message)
    this.remedy = remedy
  }
}

/** Installs what `purpose` needs and returns the path of Bun. Without root, Debian packages are only looked for. */
export function prepare(purpose) {
  if (process.platform !== "linux") {
    throw new PrepareError(
      `Cannot run on ${process.platform}: linkspan makes Linux network namespaces`,
      "Use a Linux machine or virtual machine",
    )
  }
  installModules()
  installPackages(PURPOSES[purpose].flatMap((part) => PACKAGES[part]))
  return findBun()
}

/** Runs `main` and turns its failures into a sentence and an exit status. */
export async function runScript(main) {
  try {
    process.exitCode = await main()
  } catch (error) {
    report(error)
    process.exitCode = 1
  }
}

export function report(error) {
  if (error instanceof PrepareError) {
    process.stderr.write(`error: ${error.message}\n${error.remedy ? `  ${error.remedy}\n` : ""}`)
  } else {
    process.stderr.write(`${error?.stack ?? error}\n`)
  }
}

export function isRoot() {
  return process.getuid?.() === 0
}

function say(text) {
  process.stderr.write(`${text}\n`)
}

// npm packages

function installModules() {
  if (modulesAreCurrent()) {
    return
  }
  say("Installing the npm packages that package-lock.json names …")
  // Under `npm run` the same npm is used again, whichever it is.
  const npm = process.env.npm_execpath
  const [command, ...first] = npm?.endsWith(".js") ? [process.execPath, npm] : ["npm"]
  const run = spawnSync(command, [...first, "ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: ROOT,
    encoding: "utf8",
    timeout: 15 * MINUTE,
    // npm runs us as a script of its own; its settings for that run are not meant for this one.
    env: withoutNpmSettings(process.env),
  })
  if (run.error?.code === "ENOENT") {
    throw new PrepareError("Cannot install the npm packages: npm is not in PATH", "Install it: apt-get install npm")
  }
  if (run.status !== 0 || !modulesAreCurrent()) {
    const output = `${run.stdout ?? ""}${run.stderr ?? ""}`.trim()
    throw new PrepareError(
      `Cannot install the npm packages: ${reason(run, output)}`,
      offline(output)
        ? "Check the network and the proxy and registry settings of npm (npm config list), then run the command again"
        : `npm ci said:\n${indent(output)}`,
    )
  }
}

/** npm writes what it installed to node_modules/.package-lock.json as its last step. */
function modulesAreCurrent() {
  const wanted = readJson(join(ROOT, "package-lock.json"))
  const installed = readJson(join(ROOT, "node_modules/.package-lock.json"))
  if (wanted === undefined || installed === undefined) {
    return false
  }
  return Object.entries(wanted.packages).every(([path, entry]) => {
    const there = installed.packages[path]
    return path === "" || (there === undefined ? entry.optional === true : there.version === entry.version)
  })
}

function withoutNpmSettings(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^npm_(lifecycle|package|command)/.test(name)))
}

// Debian packages

function installPackages(packages) {
  const missing = findMissing(packages)
  if (missing.length === 0) {
    return
  }
  const names = missing.map((each) => each.name)
  if (!isRoot()) {
    throw new PrepareError(
      `Cannot go on without root: ${list(names)} must be installed first`,
      `As root: apt-get install ${names.join(" ")}`,
    )
  }
  if (!inPath("apt-get")) {
    throw new PrepareError(
      `Cannot install ${list(names)}: this machine has no apt-get`,
      `Install by your system's own means: ${missing.map((each) => `${each.has} (${each.why})`).join(", ")}`,
    )
  }
  say(`Installing ${list(names)} …`)
  aptGet(["update"], 5 * MINUTE, names)
  withoutStartingServices(() => aptGet(["install", "-y", "--no-install-recommends", ...names], 15 * MINUTE, names))
  const still = findMissing(packages)
  if (still.length > 0) {
    throw new PrepareError(
      `Cannot go on: ${list(still.map((each) => each.name))} did not get installed`,
      `Try: apt-get install ${still.map((each) => each.name).join(" ")}`,
    )
  }
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own fields
const DPKG_FORMAT = "${Package} ${db:Status-Status}\\n"

function findMissing(packages) {
  if (!inPath("dpkg-query")) {
    return packages.filter((each) => !isThere(each.has))
  }
  const run = spawnSync("dpkg-query", ["-W", "-f", DPKG_FORMAT, ...packages.map((p) => p.name)], {
    encoding: "utf8",
    timeout: MINUTE,
  })
  const installed = new Set(
    run.stdout
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.slice(0, line.indexOf(" "))),
  )
  return packages.filter((each) => !installed.has(each.name))
}

function aptGet(args, timeout, names) {
  const run = spawnSync("apt-get", ["-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=2", ...args], {
    encoding: "utf8",
    timeout,
    maxBuffer: 64 << 20,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
  })
  // `update` may fail for one source and still know every package that is needed; `install` decides.
  if (run.status !== 0 && args[0] !== "update") {
    const output = `${run.stdout ?? ""}${run.stderr ?? ""}`.trim()
    throw new PrepareError(
      `Cannot install ${list(names)}: ${reason(run, output)}`,
      offline(output)
        ? `Check the network and /etc/apt/sources.list, then run the command again`
        : `apt-get ${args[0]} said:\n${indent(output)}`,
    )
  }
}

/** Debian's own way of installing a daemon without starting it: a policy-rc.d that says no (invoke-rc.d(8)). */
function withoutStartingServices(body) {
  const policy = "/usr/sbin/policy-rc.d"
  if (existsSync(policy)) {
    body()
    return
  }
  writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755, flag: "wx" })
  try {
    body()
  } finally {
    rmSync(policy, { force: true })
  }
}

function isThere(what) {
  if (what.startsWith("/")) {
    return existsSync(what)
  }
  return what.includes(".so") ? hasLibrary(what) : inPath(what)
}

function hasLibrary(name) {
  const cache = spawnSync("ldconfig", ["-p"], {
    encoding: "utf8",
    timeout: MINUTE,
    env: { ...process.env, PATH: path() },
  })
  const places = ["/lib", "/usr/lib", "/usr/lib64", "/usr/local/lib"]
  return (cache.stdout ?? "").includes(name) || places.some((place) => existsSync(join(place, name)))
}

function inPath(command) {
  return path()
    .split(delimiter)
    .some((place) => existsSync(join(place, command)))
}

/** A user's PATH often lacks the sbin directories. */
function path() {
  return `${process.env.PATH ?? ""}${delimiter}/usr/local/sbin${delimiter}/usr/sbin${delimiter}/sbin`
}

// Bun

/**
 * The Bun of package-lock.json. npm 11 leaves its install script out unless asked, and then the executable stays in the
 * platform's own package instead of node_modules/bun.
 */
export function findBun() {
  const cpu = { x64: "x64", arm64: "aarch64" }[process.arch]
  if (cpu === undefined) {
    throw new PrepareError(
      `Cannot run on a ${process.arch} processor: Bun exists for x64 and arm64`,
      "Use such a machine",
    )
  }
  const libc = process.report.getReport().header.glibcVersionRuntime ? ["", "-musl"] : ["-musl", ""]
  const places = [
    ...libc.flatMap((suffix) => [`@oven/bun-linux-${cpu}${suffix}`, `@oven/bun-linux-${cpu}${suffix}-baseline`]),
  ].map((name) => join(ROOT, "node_modules", name, "bin/bun"))
  places.push(join(ROOT, "node_modules/bun/bin/bun.exe"))
  const wanted = readJson(join(ROOT, "package-lock.json"))?.packages["node_modules/bun"]?.version
  for (const place of places) {
    // The placeholder that waits for the install script is a few hundred bytes long.
    if (existsSync(place) && statSync(place).size > 1 << 20) {
      const run = spawnSync(place, ["--version"], { encoding: "utf8", timeout: MINUTE })
      if (run.stdout?.trim() === wanted) {
        return place
      }
    }
  }
  throw new PrepareError(
    `Cannot find Bun ${wanted} in node_modules for ${process.arch}`,
    "Remove node_modules and run the command again",
  )
}

// Words

function reason(run, output) {
  if (run.error?.code === "ETIMEDOUT") {
    return "it took too long"
  }
  return offline(output)
    ? "the network cannot be reached"
    : `the installer ended with status ${run.status ?? run.signal}`
}

function offline(output) {
  return /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|ERR_SOCKET|Temporary failure resolving|Could not resolve|Could not connect|Unable to fetch|Failed to fetch/i.test(
    output,
  )
}

function list(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`
}

/** The beginning, where npm says what is wrong, and the end, where apt does. */
function indent(text) {
  const lines = text.split("\n").map((line) => `    ${line}`)
  return [
    ...lines.slice(0, 12),
    ...(lines.length > 24 ? ["    …"] : []),
    ...lines.slice(Math.max(12, lines.length - 12)),
  ].join("\n")
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"))
  } catch {
    return undefined
  }
}
