// What people and programs are told when something goes wrong, and with which status.

import { describe, expect, test } from "bun:test"
import { ERROR_CODES, type ErrorCode, LinkspanError } from "#model/errors.ts"
import { call } from "./testing/world.ts"

async function told(line: string, options?: Parameters<typeof call>[1]): Promise<string> {
  const { stdout, stderr, status } = await call(line.split(" "), options)
  expect(stdout).toBe("")
  return `${stderr}${status}`
}

describe("mistakes of a command line", () => {
  test("those of parsing and those of the model are told together, at the options", async () => {
    expect(await told("network create web --subnet 10.0.0.0/33 --mtu 5 --metric x --subnte y")).toMatchInlineSnapshot(`
      "linkspan: Cannot run "linkspan network create": the command line has 4 mistakes
        --metric: must be a whole number, not "x"
        --subnte: is no option of this command; did you mean --subnet?
        --subnet: "10.0.0.0/33" is not a subnet; write ADDRESS/LENGTH, as in 10.89.0.0/24 or fd00:1234::/64
        --mtu: must be a whole number from 68 to 65535, not 5
        hint: "linkspan help network create" shows how it is written
      2"
    `)
  })

  test("an option of the command's before the command is in the wrong place, not unknown", async () => {
    expect(await told("--dry-run --nonsense network create web")).toMatchInlineSnapshot(`
      "linkspan: Cannot run "linkspan network create": the command line has 2 mistakes
        --dry-run: belongs behind the command: linkspan network create --dry-run
        --nonsense: is no option of this command
        hint: "linkspan help network create" shows how it is written
      2"
    `)
  })

  test("those of the engine stand at the options too", async () => {
    const issues = [
      { path: "subnets[1].gateway", message: "10.9.1.1 is taken" },
      { path: "labels.a", message: "is odd" },
      { path: "", message: "all of it is odd" },
    ]
    const failure = new LinkspanError("INVALID_REQUEST", {
      message: 'Cannot create network "web": 3 mistakes',
      issues,
      hint: "Try less",
    })
    expect(
      await told("network create web --subnet 10.9.0.0/24 --subnet 10.9.1.0/24", {
        failures: { "networks.create": failure },
      }),
    ).toMatchInlineSnapshot(`
      "linkspan: Cannot create network "web": 3 mistakes
        --gateway: 10.9.1.1 is taken
        --label: is odd
        all of it is odd
        hint: Try less
      2"
    `)
  })

  test("a field that is named in a message becomes its option", async () => {
    expect(await told("publish api 8080:80 8080:81")).toMatchInlineSnapshot(`
      "linkspan: Cannot publish: the request has mistakes
        PORT 8080:81: has host ports in common with PORT 8080:80
        hint: "linkspan help publish" shows how it is written
      2"
    `)
  })

  test("a value that looks like a field is left as it was written", async () => {
    expect(await told("run --workdir x[0]] sh")).toContain('--workdir: "x[0]]" is not an absolute path')
  })

  test("a required word that is missing is told once", async () => {
    expect(await told("network create --wrong")).toMatchInlineSnapshot(`
      "linkspan: Cannot run "linkspan network create": the command line has 2 mistakes
        --wrong: is no option of this command
        NAME: is missing
        hint: "linkspan help network create" shows how it is written
      2"
    `)
  })

  test("the engine is not opened for them", async () => {
    expect((await call(["network", "create", "--wrong"])).opened).toEqual([])
  })

  test("gateways find their subnets, and those that find none are refused", async () => {
    expect(
      await told(
        "network create web --subnet 10.9.0.0/24 --subnet fd09::/64 --gateway 10.8.0.1 --gateway 10.9.0.1 --gateway 10.9.0.2 --reserve x --ip-range 10.8.0.0/25",
      ),
    ).toMatchInlineSnapshot(`
      "linkspan: Cannot run "linkspan network create": the command line has 4 mistakes
        --gateway: 10.8.0.1 lies in none of the subnets 10.9.0.0/24, fd09::/64
        --gateway: 10.9.0.2 is the second gateway of 10.9.0.0/24, after 10.9.0.1
        --ip-range: 10.8.0.0/25 lies in none of the subnets 10.9.0.0/24, fd09::/64
        --reserve: "x" is not an address
        hint: "linkspan help network create" shows how it is written
      2"
    `)
    expect(await told("network create web --gateway 10.9.0.1")).toContain("--gateway: 10.9.0.1 belongs to no subnet")
    expect(await told("network create web --no-nat --gateway-mode nat")).toContain(
      "--no-nat: contradicts --gateway-mode nat",
    )
  })

  test("what belongs to one network needs one", async () => {
    expect(await told("run --network a --network b --ip 10.0.0.1 --alias x sh")).toMatchInlineSnapshot(`
      "linkspan: Cannot run "linkspan run": the command line has 2 mistakes
        --ip: needs exactly one --network, and there are 2; write --network NAME:ip=VALUE
        --alias: needs exactly one --network, and there are 2; write --network NAME:alias=VALUE
        hint: "linkspan help run" shows how it is written
      2"
    `)
    expect(await told("run --network web:mac=02:00:00:00:00:01 --mac 02:00:00:00:00:02 sh")).toContain(
      "--mac: is also among the keys",
    )
    expect(await told("run --network host --network b sh")).toContain("--network: host stands alone")
    expect(await told("run --network none --ip 10.0.0.1 sh")).toContain("--network: none is no network")
    expect(await told("attach --netns x --network host")).toContain("only linkspan run")
    expect(await told("attach --netns x --network web:prioritty=1,=2,alias=,ip=a,mac=1,mac=2")).toMatchInlineSnapshot(`
      "linkspan: Cannot run "linkspan attach": the command line has 6 mistakes
        --network: "prioritty=1" has no key that is known; did you mean priority?
        --network: "=2" has no key that is known; the keys are ip, ip6, mac, ifname, priority, alias, rate-in and rate-out
        --network: "alias=" has no value; write alias=VALUE
        --network: "web:prioritty=1,=2,alias=,ip=a,mac=1,mac=2" gives mac more than once
        --network web:prioritty=1,=2,alias=,ip=a,mac=1,mac=2: "a" is not an address: write IPv4 as 10.89.0.2 or IPv6 as fd00::2
        --network web:prioritty=1,=2,alias=,ip=a,mac=1,mac=2: "1" is not a MAC address; write six bytes, as in 02:00:0a:59:00:02
        hint: "linkspan help attach" shows how it is written
      2"
    `)
  })

  test("attach needs exactly one namespace", async () => {
    expect(await told("attach --network web")).toContain("--netns: is missing")
    expect(await told("attach --netns x --pid 5")).toContain("--netns: excludes --pid and --new")
    expect(await told("attach --new")).toContain("--new: needs a name")
  })

  test("an update must change something", async () => {
    expect(await told("network update web")).toContain("OPTIONS: are missing")
  })
})

describe("unknown commands", () => {
  test("the nearest is named", async () => {
    expect(await told("netwrok")).toContain('Did you mean "linkspan network"?')
    expect(await told("network crate web")).toContain('Did you mean "linkspan network create"?')
    expect(await told("create web")).toContain('Did you mean "linkspan network create"?')
    expect(await told("network lst")).toContain('Did you mean "linkspan network')
    expect(await told("frobnicate")).toContain('"linkspan help" lists the commands')
    expect(await told("help frobnicate")).toContain("there is no such command")
  })
})

test("an unknown command's error is written as the rest of the line says", async () => {
  const called = await call(["network", "frob", "web", "-o", "json"])
  expect(JSON.parse(called.stderr)).toMatchObject({ error: { code: "INVALID_REQUEST" } })
})

describe("environment variables", () => {
  test("stand for the options, which win", async () => {
    const env = {
      LINKSPAN_STATE_DIR: "/s",
      LINKSPAN_RUN_DIR: "/r",
      LINKSPAN_HOST_NETNS: "/run/netns/h",
      LINKSPAN_POOLS: "10.0.0.0/8/24, fd00::/48/64",
    }
    expect((await call(["ps"], { env })).opened).toEqual([
      { stateDir: "/s", runDir: "/r", hostNetns: "/run/netns/h", pools: ["10.0.0.0/8/24", "fd00::/48/64"] },
    ])
    expect((await call(["--state-dir", "x", "ps", "--run-dir=/y", "--host-netns", "z"], { env })).opened).toMatchObject(
      [{ stateDir: "/work/x", runDir: "/y", hostNetns: "/run/netns/z" }],
    )
  })

  test("each that cannot be read is told, and no other host is asked", async () => {
    const env = {
      LINKSPAN_STATE_DIR: "",
      LINKSPAN_RUN_DIR: "relative",
      LINKSPAN_HOST_NETNS: "x",
      LINKSPAN_POOLS: "10.0.0.0/8",
    }
    expect(await told("ps", { env })).toMatchInlineSnapshot(`
      "linkspan: Cannot run "linkspan ps": the command line has 4 mistakes
        LINKSPAN_STATE_DIR: is set but empty; unset it, or give an absolute path
        LINKSPAN_RUN_DIR: "relative" is not an absolute path
        LINKSPAN_HOST_NETNS: "x" is not an absolute path
        LINKSPAN_POOLS: "10.0.0.0/8" cannot be read; write pools as ADDRESS/LENGTH/SIZE-OF-ONE-SUBNET with commas between, as in 10.89.0.0/16/24,fd00:89::/48/64
        hint: "linkspan help ps" shows how it is written
      2"
    `)
    expect((await call(["ps"], { env })).opened).toEqual([])
  })
})

describe("failures of the engine", () => {
  test("a message, a hint, and the status of the code", async () => {
    const failure = new LinkspanError("SUBNET_IN_USE", {
      message: 'Cannot create network "web": subnet 10.89.0.0/24 overlaps route 10.0.0.0/8 on "wg0"',
      hint: "Choose another --subnet",
    })
    expect(await told("network create web", { failures: { "networks.create": failure } })).toMatchInlineSnapshot(`
      "linkspan: Cannot create network "web": subnet 10.89.0.0/24 overlaps route 10.0.0.0/8 on "wg0"
        hint: Choose another --subnet
      5"
    `)
  })

  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    test(`${code} ends with its status`, async () => {
      const called = await call(["ps"], { failures: { list: new LinkspanError(code, { message: "Cannot" }) } })
      expect(called.status).toBe(ERROR_CODES[code].exit)
    })
  }

  test("with -o json it is an object on a line of stderr", async () => {
    const failure = new LinkspanError("PORT_IN_USE", {
      message: "Cannot publish",
      hint: "Choose",
      details: { port: 80 },
    })
    const called = await call(["-o", "json", "publish", "api", "80:80"], { failures: { publish: failure } })
    expect(called.stdout).toBe("")
    expect(called.stderr.split("\n").length).toBe(2)
    expect(JSON.parse(called.stderr)).toEqual({
      error: { code: "PORT_IN_USE", message: "Cannot publish", hint: "Choose", details: { port: 80 } },
    })
  })

  test("mistakes of a command line are such an object too", async () => {
    const called = await call(["network", "create", "--wrong", "-o", "json"])
    expect(JSON.parse(called.stderr)).toMatchObject({
      error: { code: "INVALID_REQUEST", issues: [{ path: "--wrong" }, { path: "NAME" }] },
    })
  })

  test("one that nobody foresaw asks to be reported; its stack is for --debug", async () => {
    const failures = { list: new TypeError("x is not a function", { cause: new Error("deeper") }) }
    expect(await told("ps", { failures })).toMatchInlineSnapshot(`
      "linkspan: Internal error: x is not a function
        hint: This is a bug in linkspan; please report it, with what the same command prints with --debug
      70"
    `)
    const debugged = await call(["ps", "--debug"], { failures })
    expect(debugged.stderr).toContain("errors.test.ts")
    expect(debugged.stderr).toContain("caused by: Error: deeper")
  })

  test("one on opening is told like any other", async () => {
    const closed = new LinkspanError("NOT_PERMITTED", { message: "Cannot open: root is needed" })
    expect((await call(["ps"], { closed })).status).toBe(8)
  })

  test("of several targets all are tried, and every failure is told", async () => {
    const failures = {
      "networks.remove a": new LinkspanError("NETWORK_NOT_FOUND", { message: 'Cannot remove network "a"' }),
      "networks.remove c": new LinkspanError("NETWORK_IN_USE", { message: 'Cannot remove network "c"' }),
    }
    const called = await call(["network", "rm", "a", "b", "c"], { failures })
    expect(called).toMatchObject({
      status: 3,
      stdout: "b\n",
      stderr: 'linkspan: Cannot remove network "a"\nlinkspan: Cannot remove network "c"\n',
    })
  })

  test("nothing can drive the terminal", async () => {
    const failure = new LinkspanError("KERNEL_REFUSED", { message: "Cannot \u001b[2J\u009bx \u202e" })
    expect(await told("ps", { failures: { list: failure } })).toBe("linkspan: Cannot \\x1b[2J\\x9bx \\u202e\n11")
  })

  test("the engine is closed whatever happens", async () => {
    expect((await call(["ps"])).engine.disposed()).toBe(true)
    expect((await call(["ps"], { failures: { list: new Error("x") } })).engine.disposed()).toBe(true)
  })
})
