// npm test: the gates (format, lint with layers, types), the unit tests and the kernel tests. Every test file is a
// process of its own with a time limit. Prints a line per file while it runs, all failures in full at the end, and
// closes with the plain line "N passed, N failed" (", N skipped" when there were any).
//
//   node scripts/test.mjs [--gates] [--unit] [--kernel] [--update] [--jobs N] [PATTERN …]
//
// Without a group all three run; a PATTERN keeps the files whose path contains it. --update rewrites golden files.
// What failed in up to five files is run once more at the end, when nothing else runs: the kernel does part of its work
// when it likes, and the machine may be busy with other things. A test that passes then counts as passed, and is listed as
// unsteady with what it had printed: a defect to be mended, of the test or of what it tests.
// LINKSPAN_REQUIRE=all makes a skipped test a failure unless its name ends in "[needs FEATURE]" and the kernel lacks
// that feature (test/features.ts). LINKSPAN_TEST_MINUTES ends the run after that many minutes.

import { spawn, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { isRoot, PrepareError, prepare, ROOT, report } from "./prepare.mjs"

/** A file may say otherwise in its head: "// time limit: 600 s". */
const FILE_LIMIT_S = 300

/** More than this is no accident. */
const MOST_AGAIN = 5

/** @typedef {{ where: string, name: string, outcome: "passed" | "failed" | "skipped", needs?: string[], why?: string }} Result */

const started = Date.now()
const deadline = started + Number(process.env.LINKSPAN_TEST_MINUTES ?? Number.POSITIVE_INFINITY) * 60_000
const scratch = mkdtempSync(join(tmpdir(), "linkspan-test-"))
const running = new Set()
/** @type {Result[]} */
const results = []
/** What failed, with everything it printed. */
const failures = []
/** What failed and then passed. */
const unsteady = []

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    for (const child of running) {
      kill(child, "SIGKILL")
    }
    sweepAll()
    rmSync(scratch, { recursive: true, force: true })
    process.exit(130)
  })
}

let bun = ""
/** What test/features.ts says, once it was asked. */
let features
try {
  await main(parseArguments(process.argv.slice(2)))
} catch (error) {
  report(error)
  results.push({ where: "npm test", name: "runs", outcome: "failed", why: error?.message })
}
rmSync(scratch, { recursive: true, force: true })
finish()

async function main(options) {
  const groups = options.groups
  if (groups.has("kernel") && !isRoot()) {
    throw new PrepareError(
      "Cannot run the kernel tests without root: they make network namespaces",
      "Run them as root (sudo npm test), or the rest without: npm run ok",
    )
  }
  bun = prepare(groups.has("kernel") ? "test" : "code")
  if (groups.has("gates") && options.patterns.length === 0) {
    await inParallel(2, gates(), runGate)
  }
  const files = [...testFiles("src"), ...testFiles("scripts"), ...testFiles("test")].filter(
    (file) => options.patterns.length === 0 || options.patterns.some((pattern) => file.includes(pattern)),
  )
  const jobs = options.jobs ?? Math.min(4, cpus().length)
  const kernel = files.filter((file) => file.startsWith("test/"))
  const unit = files.filter((file) => !file.startsWith("test/"))
  if (groups.has("unit")) {
    await inParallel(jobs, unit, (file) => runFile("unit", file, options))
  }
  if (groups.has("kernel")) {
    // What a run that was killed could not remove itself.
    sweepAll()
    // One at a time: they measure times and look at the whole machine.
    await inParallel(options.jobs ?? 1, kernel, (file) => runFile("kernel", file, options))
  }
  await runAgain([...unit, ...kernel], options)
  if (results.length === 0) {
    throw new PrepareError("Cannot find a test file of that name", "Give a part of its path: npm test -- bridge")
  }
}

function parseArguments(args) {
  const options = { groups: new Set(), patterns: [], update: false, jobs: undefined }
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]
    if (["--gates", "--unit", "--kernel"].includes(arg)) {
      options.groups.add(arg.slice(2))
    } else if (arg === "--update") {
      options.update = true
    } else if (arg === "--jobs") {
      options.jobs = Number(args[++i])
    } else if (arg.startsWith("-")) {
      report(new PrepareError(`Cannot run the tests: there is no option ${arg}`, "See the head of scripts/test.mjs"))
      process.exit(2)
    } else {
      options.patterns.push(arg.replace(/^\.\//, ""))
    }
  }
  if (options.groups.size === 0) {
    options.groups = new Set(["gates", "unit", "kernel"])
  }
  return options
}

function testFiles(directory) {
  if (!existsSync(join(ROOT, directory))) {
    return []
  }
  return readdirSync(join(ROOT, directory), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${directory}/${entry.name}`
      return entry.isDirectory() ? testFiles(path) : entry.name.endsWith(".test.ts") ? [path] : []
    })
    .sort()
}

// Gates

function gates() {
  const tool = (path) => [process.execPath, join(ROOT, "node_modules", path)]
  return [
    {
      name: "format, lint and layers",
      command: [...tool("@biomejs/biome/bin/biome"), "check", "--error-on-warnings", "--max-diagnostics=none", "."],
    },
    ...projects().map((project) => ({
      name: project === "tsconfig.json" ? "types" : `types of ${dirname(project)}`,
      command: [...tool("typescript/bin/tsc"), "--project", project],
    })),
  ]
}

/** What is checked by itself, since it runs elsewhere: a browser has other globals. */
function projects() {
  const nested = readdirSync(join(ROOT, "src"), { recursive: true }).filter(
    (path) => basename(path) === "tsconfig.json",
  )
  return ["tsconfig.json", ...nested.map((path) => join("src", path))]
}

async function runGate(gate) {
  showRunning(gate.name)
  const run = await runChild(gate.command, FILE_LIMIT_S)
  const outcome = run.code === 0 ? "passed" : "failed"
  results.push({ where: "gate", name: gate.name, outcome })
  if (outcome === "failed") {
    failures.push({ title: gate.name, output: run.output })
  }
  line("gate", gate.name, [{ outcome }], run.seconds)
}

// Test files

async function runFile(group, file, options) {
  if (Date.now() > deadline) {
    record(group, file, [failed(file, "not run: the time for the whole run was over")], "", 0)
    return
  }
  const source = readFileSync(join(ROOT, file), "utf8")
  const goldens = /toMatch(?:Inline)?Snapshot|LINKSPAN_UPDATE/.test(source)
  if (options.update && !goldens) {
    return
  }
  const own = Number(/^\/\/ time limit: (\d+) s$/m.exec(source)?.[1] ?? FILE_LIMIT_S)
  const limit = Math.min(own, Math.max(5, Math.ceil((deadline - Date.now()) / 1000)))
  showRunning(file)
  const junit = join(scratch, `${file.replaceAll("/", "-")}.xml`)
  const run = await runChild(
    [
      bun,
      "test",
      `./${file}`,
      "--reporter=junit",
      `--reporter-outfile=${junit}`,
      ...(options.update ? ["--update-snapshots"] : []),
    ],
    limit,
    options.update ? { LINKSPAN_UPDATE: "1", LINKSPAN_UPDATE_DOCS: "1" } : {},
  )
  const tests = readJunit(junit, file)
  if (run.timedOut) {
    tests.push(failed(file, `did not end within ${limit} s`))
  } else if (run.code !== 0 && !tests.some((test) => test.outcome === "failed")) {
    tests.push(failed(file, run.signal ? `was ended by ${run.signal}` : `ended with status ${run.code}`))
  } else if (tests.length === 0) {
    tests.push(failed(file, "has no test"))
  }
  if (file.startsWith("test/")) {
    const left = sweep(run.pid)
    if (left !== "") {
      tests.push(failed(file, "left something behind"))
      run.output += `\nleft behind and removed now:\n${left}`
    }
  }
  record(group, file, tests, run.output, run.seconds)
}

async function runAgain(files, options) {
  const again = files.filter((file) => results.some((each) => each.where === file && each.outcome === "failed"))
  if (again.length > MOST_AGAIN) {
    return
  }
  for (const file of again) {
    if (Date.now() > deadline) {
      return
    }
    const before = results.filter((each) => each.where === file)
    for (const each of before) {
      results.splice(results.indexOf(each), 1)
    }
    const failure = failures.splice(
      failures.findIndex((each) => each.title === file),
      1,
    )
    await runFile("again", file, options)
    if (results.some((each) => each.where === file && each.outcome === "failed")) {
      continue
    }
    failures.push(...failure)
    unsteady.push(...before.filter((each) => each.outcome === "failed"))
  }
}

function failed(file, why) {
  return { where: file, name: file, outcome: "failed", why }
}

function record(group, file, tests, output, seconds) {
  for (const test of tests) {
    judgeSkip(test)
  }
  results.push(...tests)
  const bad = tests.filter((test) => test.outcome === "failed")
  if (bad.length > 0) {
    const reasons = bad.filter((test) => test.why).map((test) => `${test.name}: ${test.why}`)
    failures.push({ title: file, output: [...reasons, output].join("\n") })
  }
  line(group, file, tests, seconds)
}

/** A skip is good only when it names a feature that this kernel truly lacks. */
function judgeSkip(test) {
  if (test.outcome !== "skipped") {
    return
  }
  const missing = test.needs.filter((feature) => kernelFeatures()[feature]?.present === false)
  if (missing.length > 0) {
    test.needs = missing
  } else if (process.env.LINKSPAN_REQUIRE === "all") {
    test.outcome = "failed"
    test.why =
      test.needs.length > 0
        ? `skipped although this machine has ${test.needs.join(" and ")}`
        : "skipped without naming a kernel feature that is missing"
  }
}

function kernelFeatures() {
  features ??= JSON.parse(
    spawnSync(bun, [join(ROOT, "test/features.ts")], { encoding: "utf8", env: environment() }).stdout || "{}",
  )
  return features
}

/** bun's junit report: suites nest, one per describe(). */
function readJunit(path, file) {
  let xml
  try {
    xml = readFileSync(path, "utf8")
  } catch {
    return []
  }
  const tests = []
  for (const [, attributes, , body = ""] of xml.matchAll(/<testcase ([^>]*?)(\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const get = (name) => unescapeXml(new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1] ?? "")
    const name = [get("classname"), get("name")].filter(Boolean).join(" > ")
    const outcome =
      body.includes("<failure") || body.includes("<error") ? "failed" : body.includes("<skipped") ? "skipped" : "passed"
    const needs = [...name.matchAll(/\[needs ([^\]]+)\]/g)].flatMap((match) => match[1].split(", "))
    tests.push({ where: file, name, outcome, needs })
  }
  return tests
}

function unescapeXml(text) {
  const entities = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" }
  return text.replace(/&(?:#(\d+)|(\w+));/g, (whole, code, name) =>
    code ? String.fromCodePoint(code) : (entities[name] ?? whole),
  )
}

// Processes

function runChild([command, ...args], limitSeconds, env = {}) {
  const begin = Date.now()
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that a time limit reaches everything that it started.
      detached: true,
      env: environment(env),
    })
    running.add(child)
    let output = ""
    let timedOut = false
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8")
      stream.on("data", (text) => {
        output += text
      })
    }
    const timer = setTimeout(() => {
      timedOut = true
      kill(child, "SIGTERM")
      setTimeout(() => kill(child, "SIGKILL"), 5000).unref()
    }, limitSeconds * 1000)
    const end = (code, signal) => {
      clearTimeout(timer)
      if (running.delete(child)) {
        resolve({ code, signal, output, timedOut, pid: child.pid, seconds: (Date.now() - begin) / 1000 })
      }
    }
    child.on("error", (error) => {
      output += `${error.message}\n`
      end(-1, null)
    })
    // "close" waits for the pipes, which something left behind may hold open; a little later "exit" is enough.
    child.on("close", end)
    child.on("exit", (code, signal) => setTimeout(end, 2000, code, signal).unref())
  })
}

function kill(child, signal) {
  try {
    process.kill(-child.pid, signal)
  } catch {
    // It has ended.
  }
}

/** The caller's, without what would change a test's outcome. */
function environment(extra = {}) {
  const env = { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`, ...extra }
  for (const name of ["LINKSPAN_STATE_DIR", "LINKSPAN_RUN_DIR", "FORCE_COLOR", "NO_COLOR"]) {
    delete env[name]
  }
  return env
}

/** Removes what the test process of that number left, and tells. */
function sweep(pid) {
  return (
    spawnSync(bun, [join(ROOT, "test/sweep.ts"), String(pid)], {
      encoding: "utf8",
      env: environment(),
    }).stdout?.trim() ?? ""
  )
}

function sweepAll() {
  if (bun !== "" && isRoot()) {
    spawnSync(bun, [join(ROOT, "test/sweep.ts")], { env: environment() })
  }
}

async function inParallel(jobs, items, work) {
  const queue = [...items]
  await Promise.all(
    Array.from({ length: Math.max(1, jobs) }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        await work(item)
      }
    }),
  )
}

// Words

/** On a terminal only: what the next line will be about. */
function showRunning(name) {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\x1b[K… ${name}\r`)
  }
}

function line(group, name, tests, seconds) {
  const counts = count(tests)
  const words = ["failed", "passed", "skipped"]
    .filter((word) => counts[word] > 0)
    .map((word) => `${counts[word]} ${word}`)
  const mark = counts.failed > 0 ? "✗" : counts.passed > 0 ? "✓" : "–"
  const text = group === "gate" ? "" : words.join(", ")
  if (process.stderr.isTTY) {
    process.stderr.write("\x1b[K")
  }
  console.log(
    `${mark} ${group.padEnd(6)} ${name.padEnd(52)} ${`${seconds.toFixed(1)} s`.padStart(7)}  ${text}`.trimEnd(),
  )
}

function count(tests) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const test of tests) {
    counts[test.outcome]++
  }
  return counts
}

function finish() {
  for (const failure of failures) {
    console.log(`\n──── ${failure.title} ${"─".repeat(Math.max(0, 90 - failure.title.length))}`)
    console.log(failure.output.replace(/^\(pass\).*\n/gm, "").trim())
  }
  const counts = count(results)
  list(
    "Failed",
    results.filter((each) => each.outcome === "failed"),
  )
  list("Unsteady: failed, and passed when run again", unsteady)
  if (counts.skipped > 0) {
    console.log("\nSkipped:")
    const groups = groupBy(
      results.filter((each) => each.outcome === "skipped"),
      why,
    )
    for (const [reason, tests] of groups) {
      console.log(`  ${reason}: ${tests.length} ${tests.length === 1 ? "test" : "tests"}`)
    }
  }
  console.log(`\n${Math.round((Date.now() - started) / 1000)} s`)
  console.log(
    `${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ""}`,
  )
  process.exitCode = counts.failed > 0 ? 1 : 0
}

function list(heading, tests) {
  if (tests.length > 0) {
    console.log(`\n${heading}:`)
  }
  for (const test of tests) {
    console.log(`  ${test.where}: ${test.name}${test.why ? `: ${test.why}` : ""}`)
  }
}

function why(test) {
  return test.needs.length > 0 ? `this kernel has no ${test.needs.join(", no ")}` : "no reason given"
}

function groupBy(items, key) {
  const groups = new Map()
  for (const item of items) {
    groups.set(key(item), [...(groups.get(key(item)) ?? []), item])
  }
  return groups
}
