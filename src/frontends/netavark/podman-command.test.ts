import { expect, test } from "bun:test"
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { runPodmanCommand } from "./podman-command.ts"

async function command(program: string | undefined, args: string[], env: Record<string, string> = {}) {
  const [out, err]: [string[], string[]] = [[], []]
  const status = await runPodmanCommand(args, {
    env,
    program,
    uid: 0,
    out: async (text) => void out.push(text),
    err: async (text) => void err.push(text),
  })
  return { status, out: out.join(""), err: err.join("") }
}

function scene() {
  const directory = mkdtempSync(`${tmpdir()}/linkspan-podman-`)
  const [conf, bin, program] = [`${directory}/containers.conf.d`, `${directory}/bin`, `${directory}/linkspan`]
  writeFileSync(program, "")
  return {
    conf,
    bin,
    program,
    places: ["--conf-dir", conf, "--bin-dir", bin],
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  }
}

test("install, install again, status, uninstall and uninstall again say what they do", async () => {
  using at = scene()
  mkdirSync(at.conf)
  writeFileSync(`${at.conf}/10-own.conf`, '[engine]\nhelper_binaries_dir = ["/opt/own"]\n')
  const { bin, conf, program, places } = at
  expect(await command(program, ["status", ...places])).toMatchObject({
    status: 1,
    out: expect.stringContaining("netavark: none in /opt/own"),
  })
  const first = await command(program, ["install", ...places])
  expect(first).toMatchObject({ status: 0, err: "" })
  expect(first.out).toStartWith(
    `wrote ${bin}/netavark, a link to ${program}\nwrote ${bin}/aardvark-dns, a link to ${program}\nwrote ${conf}/90-linkspan.conf\n`,
  )
  expect(readlinkSync(`${bin}/netavark`)).toBe(program)
  const { engine } = Bun.TOML.parse(readFileSync(`${conf}/90-linkspan.conf`, "utf8")) as { engine: object }
  expect(engine).toEqual({ helper_binaries_dir: [bin, "/opt/own"] })
  expect(await command(program, ["install", ...places])).toEqual({
    status: 0,
    out: `unchanged ${bin}/netavark\nunchanged ${bin}/aardvark-dns\nunchanged ${conf}/90-linkspan.conf\n`,
    err: "",
  })
  expect(await command(program, ["status", ...places])).toMatchObject({
    status: 0,
    out: `netavark: ${bin}/netavark (linkspan)\naardvark-dns: ${bin}/aardvark-dns (linkspan)\n`,
  })
  const removed = await command(program, ["uninstall", ...places])
  expect(removed.out).toStartWith(
    `removed ${conf}/90-linkspan.conf\nremoved ${bin}/aardvark-dns\nremoved ${bin}/netavark\n`,
  )
  expect(readdirSync(conf)).toEqual(["10-own.conf"])
  expect(await command(program, ["uninstall", ...places])).toEqual({
    status: 0,
    out: "There was nothing to remove.\n",
    err: "",
  })
})

test("what is somebody else's is neither written over nor removed", async () => {
  using at = scene()
  const { bin, conf, program, places } = at
  mkdirSync(bin)
  mkdirSync(conf)
  symlinkSync("/usr/lib/podman/netavark", `${bin}/netavark`)
  writeFileSync(`${bin}/aardvark-dns`, "theirs")
  writeFileSync(`${conf}/90-linkspan.conf`, "[engine]\n")
  for (const verb of ["install", "uninstall"]) {
    expect(await command(program, [verb, ...places])).toEqual({
      status: 1,
      out: "",
      err: `Error: Cannot ${verb}: not linkspan's, and so left as it is: ${bin}/netavark, ${bin}/aardvark-dns, ${conf}/90-linkspan.conf\n`,
    })
  }
  expect(readFileSync(`${bin}/aardvark-dns`, "utf8")).toBe("theirs")
  expect(readFileSync(`${conf}/90-linkspan.conf`, "utf8")).toBe("[engine]\n")
})

test("a linkspan that has moved is led to anew, and the environment's directory comes first", async () => {
  using at = scene()
  const { bin, program, places } = at
  mkdirSync(bin)
  symlinkSync("/gone/linkspan", `${bin}/netavark`)
  expect((await command(program, ["install", ...places])).status).toBe(0)
  expect(readlinkSync(`${bin}/netavark`)).toBe(program)
  const env = { CONTAINERS_HELPER_BINARY_DIR: at.conf }
  writeFileSync(`${at.conf}/netavark`, "theirs")
  expect(await command(program, ["status", ...places], env)).toMatchObject({
    status: 1,
    out: expect.stringContaining(`netavark: ${at.conf}/netavark\n`),
  })
})

test("what it does not know is told with the usage", async () => {
  expect(await command("/bin/false", ["instal"])).toMatchObject({ status: 2, err: expect.stringContaining("Usage:") })
  expect(await command("/bin/false", ["status", "--x"])).toMatchObject({ status: 2 })
  expect(await command(undefined, ["install"])).toMatchObject({
    status: 1,
    err: expect.stringContaining("npm run build"),
  })
})
