// State that cannot be used gets one clear error, whatever is the matter with it, and changes nothing. State that is
// usable again works again.

import { Database } from "bun:sqlite"
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import {
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs"
import { join } from "node:path"
import type { Linkspan } from "../../src/index.ts"
import { Host } from "../host.ts"
import { run, until } from "../run.ts"
import { difference } from "../snapshot.ts"
import { stateProblems } from "../state.ts"

const MAIN = join(import.meta.dir, "../../src/main.ts")
const NOBODY = 65534
const STATE_UNUSABLE_EXIT = 10
const HOST_IN_USE_EXIT = 5
const NOT_PERMITTED_EXIT = 8

/** A state that has been used: with a network in it. */
async function used(host: Host): Promise<string> {
  await using linkspan = await host.linkspan()
  await linkspan.networks.create({ name: "web" })
  return join(host.stateDir, "linkspan.db")
}

/** Overwrites everything behind the first page. */
function damagePages(path: string): void {
  const file = openSync(path, "r+")
  try {
    writeSync(file, Buffer.alloc(statSync(path).size - 4096, 0xa5), 0, undefined, 4096)
  } finally {
    closeSync(file)
  }
}

/** Nobody has it open, so that everything is in this one file. */
function inDatabase(path: string, sql: string): void {
  const db = new Database(path)
  db.run(sql)
  db.close(true)
}

describe("the command line names what is wrong with the state, and changes nothing", () => {
  const FAULTS: readonly {
    readonly name: string
    /** The state was used before. */
    readonly plant: (place: { stateDir: string; db: string; elsewhere: string }) => unknown
    readonly said: RegExp
  }[] = [
    {
      name: "a database that is none",
      plant: ({ db }) => writeFileSync(db, "once upon a time ".repeat(1000)),
      said: /not a database/,
    },
    { name: "a database with damaged pages", plant: ({ db }) => damagePages(db), said: /malformed|not a database/ },
    { name: "half a database", plant: ({ db }) => truncateSync(db, 6000), said: /malformed|not a database/ },
    {
      name: "a database of the future",
      plant: ({ db }) => inDatabase(db, "PRAGMA user_version = 99"),
      said: /newer linkspan \(format 99/,
    },
    {
      name: "an object that is no JSON",
      plant: ({ db }) => inDatabase(db, "UPDATE network SET body = 'web'"),
      said: /JSON/,
    },
    {
      name: "a database without its tables",
      plant: ({ db }) => inDatabase(db, "DROP TABLE network"),
      said: /no such table/,
    },
    {
      name: "a database that is a symbolic link",
      plant: ({ db, elsewhere }) => {
        renameSync(db, elsewhere)
        symlinkSync(elsewhere, db)
      },
      said: /linkspan\.db.*not a regular file/,
    },
    {
      name: "a database that is a directory",
      plant: ({ db }) => {
        rmSync(db)
        mkdirSync(db)
      },
      said: /linkspan\.db.*(regular file|EISDIR)/,
    },
    {
      name: "a database that is a FIFO",
      plant: async ({ db }) => {
        rmSync(db)
        ;(await run(["mkfifo", db])).ok()
      },
      said: /linkspan\.db.*not a regular file/,
    },
    {
      name: "a database of somebody else's",
      plant: ({ db }) => chownSync(db, NOBODY, NOBODY),
      said: /linkspan\.db.*of user 0/,
    },
    {
      name: "a lock file that is a symbolic link",
      plant: ({ stateDir }) => {
        rmSync(join(stateDir, "lock"))
        symlinkSync("/etc/hostname", join(stateDir, "lock"))
      },
      said: /lock.*regular file/,
    },
    {
      name: "a directory that others can write to",
      plant: ({ stateDir }) => chmodSync(stateDir, 0o777),
      said: /nobody else can write to/,
    },
    {
      name: "a directory that a group can write to",
      plant: ({ stateDir }) => chmodSync(stateDir, 0o770),
      said: /nobody else can write to/,
    },
    {
      name: "a directory of somebody else's",
      plant: ({ stateDir }) => chownSync(stateDir, NOBODY, NOBODY),
      said: /must be a directory of user 0/,
    },
    {
      name: "a directory that is a symbolic link",
      plant: ({ stateDir, elsewhere }) => {
        renameSync(stateDir, elsewhere)
        symlinkSync(elsewhere, stateDir)
      },
      said: /Cannot use/,
    },
    {
      name: "a directory that is a file",
      plant: ({ stateDir }) => {
        rmSync(stateDir, { recursive: true })
        writeFileSync(stateDir, "")
      },
      said: /Cannot use/,
    },
  ]

  let host: Host
  beforeAll(async () => {
    host = await Host.create()
    await used(host)
    await host.baseline()
  })
  afterAll(async () => {
    try {
      expect(await host.changes()).toEqual([])
      ;(await host.cli(["network", "rm", "web"])).ok()
      await host.baseline()
    } finally {
      await host[Symbol.asyncDispose]()
    }
  })

  test.each(FAULTS)("$name", async ({ name, plant, said }) => {
    const stateDir = host.file(name.replaceAll(" ", "-"))
    cpSync(host.stateDir, stateDir, { recursive: true })
    chmodSync(stateDir, 0o700)
    await plant({ stateDir, db: join(stateDir, "linkspan.db"), elsewhere: `${stateDir}-elsewhere` })
    for (const args of [
      ["network", "ls"],
      ["attach", "x", "--new", "--network", "web"],
    ]) {
      const { code, stdout, stderr } = await host.cli(["--state-dir", stateDir, ...args])
      expect({ args, code, stdout, stderr }).toEqual({
        args,
        code: STATE_UNUSABLE_EXIT,
        stdout: "",
        stderr: expect.stringMatching(/^linkspan: Cannot /),
      })
      expect(stderr).toMatch(said)
      // What and why in one line, what to do in another; no stack.
      expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(2)
    }
  })

  test("a state that is not the user's", async () => {
    const asNobody = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", process.execPath, MAIN]
    const { code, stderr } = await run(host.enter([...asNobody, "--state-dir", host.stateDir, "network", "ls"]), {
      cwd: "/",
    })
    expect({ code, stderr }).toEqual({ code: NOT_PERMITTED_EXIT, stderr: expect.stringMatching(/it is not yours/) })
  })
})

test("an empty database is a new one, and files are private", async () => {
  await using host = await Host.create()
  mkdirSync(host.stateDir, { mode: 0o700 })
  writeFileSync(join(host.stateDir, "linkspan.db"), "")
  await using linkspan = await host.linkspan()
  expect(await linkspan.networks.list()).toEqual([])
  expect(statSync(host.stateDir).mode & 0o777).toBe(0o700)
  for (const file of ["lock", "linkspan.db-wal", "linkspan.db-shm"].filter((name) =>
    existsSync(join(host.stateDir, name)),
  )) {
    expect({ file, others: statSync(join(host.stateDir, file)).mode & 0o077 }).toEqual({
      file,
      others: file === "lock" ? 0 : 0o044,
    })
  }
})

/** A file system of its own for the state. */
async function onSmallDisk(
  kib: number,
  body: (host: Host, mount: (options: string) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  await using host = await Host.create()
  mkdirSync(host.stateDir, { mode: 0o700 })
  const mount = (options: string): Promise<unknown> =>
    run(["mount", "-t", "tmpfs", "-o", `${options},mode=0700`, "linkspan-test", host.stateDir]).then((ran) => ran.ok())
  await mount(`size=${kib}k`)
  try {
    await body(host, (options) => run(["mount", "-o", `remount,${options}`, host.stateDir]).then((ran) => ran.ok()))
  } finally {
    ;(await run(["umount", host.stateDir])).ok()
  }
}

test("a file system that is read-only", async () => {
  await onSmallDisk(4096, async (host, remount) => {
    await used(host)
    const before = await host.snapshot()
    await remount("ro")
    for (const args of [
      ["network", "ls"],
      ["network", "rm", "web"],
    ]) {
      const { code, stderr } = await host.cli(args)
      expect({ args, code, stderr }).toEqual({
        args,
        code: STATE_UNUSABLE_EXIT,
        stderr: expect.stringMatching(/^linkspan: Cannot use state ".*read-only.*\n.*\n$/i),
      })
    }
    await remount("rw")
    expect(difference(before, await host.snapshot())).toEqual([])
    await using linkspan = await host.linkspan()
    await linkspan.networks.remove("web")
  })
})

test("a file system that is full", async () => {
  await onSmallDisk(4096, async (host) => {
    await used(host)
    await using linkspan = await host.linkspan()
    const before = await host.snapshot()
    const full = await fill(host)
    await expect(linkspan.networks.create({ name: "db" })).rejects.toMatchObject({ code: "STATE_UNUSABLE" })
    await expect(linkspan.networks.remove("web")).rejects.toMatchObject({ code: "STATE_UNUSABLE" })
    rmSync(full)
    expect(await host.snapshot()).toEqual(before)
    expect(stateProblems(host.stateDir)).toEqual([])
    await linkspan.networks.create({ name: "db" })
    await linkspan.networks.prune()
  })
})

/** @param pages that are left. @returns the file that takes all the others */
async function fill(host: Host, pages = 0): Promise<string> {
  const full = join(host.stateDir, "full")
  await run(["dd", "if=/dev/zero", `of=${full}`, "bs=4k"])
  truncateSync(full, Math.max(0, statSync(full).size - pages * 4096))
  return full
}

test("a disk that fills up in the middle of a command, at whatever moment", async () => {
  await onSmallDisk(2048, async (host) => {
    await used(host)
    const a = await host.netns("a")
    const attach = (linkspan: Linkspan): Promise<unknown> =>
      linkspan.attach({
        name: "a",
        netns: { kind: "path", path: a.path },
        networks: [{ network: "web" }],
        publish: [{ hostPort: 80, containerPort: 80 }],
      })
    const outcomeOf = (act: Promise<unknown>): Promise<string> =>
      act.then(
        () => "done",
        (error: { code?: string }) => error.code ?? String(error),
      )
    {
      // The kernel gives a bridge some routes when it first has a carrier, and leaves them there.
      await using linkspan = await host.linkspan()
      await attach(linkspan)
      await linkspan.detach("a")
    }
    const quiet = async (): Promise<true | undefined> =>
      (await host.ip(["link", "show", "type", "bridge"])).every(({ operstate }) => operstate === "DOWN")
        ? true
        : undefined
    expect(await until(quiet, 5000)).toBe(true)
    const before = await host.snapshot()
    const outcomes: string[] = []
    for (let pages = 0; pages <= 60; pages += 4) {
      await using linkspan = await host.linkspan()
      // Enough for the intent, or the outcome too, or neither.
      const full = await fill(host, pages)
      outcomes.push(await outcomeOf(attach(linkspan)), await outcomeOf(linkspan.detach("a")))
      rmSync(full)
      // Any command, now that there is room.
      await outcomeOf(linkspan.detach("a"))
      expect(stateProblems(host.stateDir)).toEqual([])
      expect(await until(quiet, 5000)).toBe(true)
      expect(difference(before, await host.snapshot())).toEqual([])
    }
    expect(new Set(outcomes)).toEqual(new Set(outcomes.filter((outcome) => EXPECTED.has(outcome))))
    expect(outcomes).toContain("STATE_UNUSABLE")
    expect(outcomes).toContain("done")
    await using linkspan = await host.linkspan()
    expect(await linkspan.reconcile()).toMatchObject({ repairs: [], problems: [] })
    await linkspan.networks.remove("web")
  })
})

const EXPECTED = new Set(["done", "STATE_UNUSABLE", "CONTAINER_NOT_FOUND", "CLEANUP_INCOMPLETE"])

test("two states on one host: the second is refused, by the name of the first", async () => {
  await using host = await Host.create()
  await using first = await host.linkspan()
  const otherDir = host.file("other")
  const other = (...args: string[]): ReturnType<Host["cli"]> => host.cli(["--state-dir", otherDir, ...args])
  // As long as nobody has networks here, the host is anybody's.
  ;(await other("network", "create", "early")).ok()
  await expect(first.networks.create({ name: "web" })).rejects.toMatchObject({
    code: "HOST_IN_USE",
    message: expect.stringContaining(`"${otherDir}"`),
  })
  ;(await other("network", "rm", "early")).ok()
  await first.networks.create({ name: "web" })
  const a = await host.netns("a")
  await first.attach({ name: "a", netns: { kind: "path", path: a.path }, networks: [{ network: "web" }] })

  const before = await host.snapshot()
  for (const args of [
    ["network", "create", "db"],
    ["network", "create", "db", "--dry-run"],
    ["run", "--network", "none", "--", "true"],
    ["reconcile"],
  ]) {
    const { code, stdout, stderr } = await other(...args)
    expect({ args, code, stdout, stderr }).toEqual({
      args,
      code: HOST_IN_USE_EXIT,
      stdout: "",
      stderr: expect.stringContaining(`belong to the one in "${host.stateDir}"`),
    })
  }
  // Looking is free.
  ;(await other("ps")).ok()
  ;(await other("reconcile", "--take-over", "--dry-run")).ok()
  expect(difference(before, await host.snapshot())).toEqual([])

  // Somebody's explicit wish; afterwards it is the first that is refused, and can take everything back.
  expect((await other("reconcile", "--take-over")).ok().stdout).toContain(host.stateDir)
  ;(await other("network", "create", "db")).ok()
  await expect(first.detach("a")).rejects.toMatchObject({ code: "HOST_IN_USE" })
  ;(await other("network", "rm", "db")).ok()
  expect((await first.reconcile()).problems).toEqual([])
  expect(difference(before, await host.snapshot())).toEqual([])
  await first.detach("a")
  await first.networks.remove("web")
})

test("two states are two hosts, which know nothing of each other", async () => {
  await using one = await Host.create()
  await using two = await Host.create()
  await using first = await one.linkspan()
  await using second = await two.linkspan()
  // The same names, subnets, ports and addresses.
  for (const [host, linkspan] of [
    [one, first],
    [two, second],
  ] as const) {
    await linkspan.networks.create({ name: "web", subnets: [{ prefix: "10.81.0.0/24" }] })
    const a = await host.netns("a")
    await linkspan.attach({
      name: "a",
      netns: { kind: "path", path: a.path },
      networks: [{ network: "web" }],
      publish: [{ hostPort: 8080, containerPort: 80 }],
    })
  }
  const before = await two.snapshot()
  await first.detach("a")
  await first.networks.remove("web")
  expect(await one.changes()).toEqual([])
  expect(await two.snapshot()).toEqual(before)
  expect(await second.reconcile()).toMatchObject({ repairs: [], problems: [] })
  await second.detach("a")
  await second.networks.remove("web")
})
