import { expect, test } from "bun:test"
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runCniCommand } from "./command.ts"

async function command(program: string | undefined, ...args: string[]) {
  const [out, err]: [string[], string[]] = [[], []]
  const status = await runCniCommand(args, {
    program,
    readInput: async () => JSON.stringify({ cniVersion: "1.0.0", name: "lab", plugins: [{ type: "bridge" }] }),
    out: async (text) => void out.push(text),
    err: async (text) => void err.push(text),
  })
  return { status, out: out.join(""), err: err.join("") }
}

test("install puts everything in place, again and again, and uninstall takes it away", async () => {
  const directory = mkdtempSync(join(tmpdir(), "linkspan-cni-"))
  try {
    const program = join(directory, "program")
    writeFileSync(program, "v1")
    const [bin, conf] = [join(directory, "a/bin"), join(directory, "b/net.d")]
    const places = ["--bin-dir", bin, "--conf-dir", conf]
    const paths = `${bin}/linkspan\n${bin}/linkspan-ipam\n${conf}/05-linkspan.conflist\n`
    expect(await command(program, "install", ...places)).toEqual({ status: 0, out: paths, err: "" })
    expect(statSync(join(bin, "linkspan")).mode & 0o777).toBe(0o755)
    expect(readlinkSync(join(bin, "linkspan-ipam"))).toBe("linkspan")
    expect(JSON.parse(readFileSync(join(conf, "05-linkspan.conflist"), "utf8"))).toMatchObject({ cniVersion: "1.0.0" })

    const own = join(directory, "own.conflist")
    writeFileSync(own, JSON.stringify({ name: "own", plugins: [{ type: "linkspan" }] }))
    writeFileSync(program, "v2")
    expect((await command(program, "install", ...places, "--conf", own)).status).toBe(0)
    expect(readFileSync(join(bin, "linkspan"), "utf8")).toBe("v2")
    expect(readFileSync(join(conf, "05-linkspan.conflist"), "utf8")).toBe(readFileSync(own, "utf8"))

    writeFileSync(own, JSON.stringify({ plugins: [{ type: "bridge" }] }))
    const refused = await command(program, "install", ...places, "--conf", own)
    expect(refused).toMatchObject({
      status: 1,
      err: expect.stringContaining('no list of plugins with one of type "linkspan"'),
    })
    expect([readdirSync(bin), readdirSync(conf)]).toEqual([["linkspan", "linkspan-ipam"], ["05-linkspan.conflist"]])

    expect((await command(program, "uninstall", ...places)).status).toBe(0)
    expect([readdirSync(bin), readdirSync(conf)]).toEqual([[], []])
    expect(await command(program, "uninstall", ...places)).toEqual({ status: 0, out: "", err: "" })
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test("convert prints the list, and what changed beside it", async () => {
  const { status, out, err } = await command("/bin/false", "convert")
  expect(status).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ plugins: [{ type: "linkspan", bridge: "cni0" }] })
  expect(err).toContain('"bridge" becomes "linkspan"')
})

test("what it does not know is told with the usage", async () => {
  expect(await command("/bin/false", "instal")).toMatchObject({ status: 2, err: expect.stringContaining("Usage:") })
  expect(await command("/bin/false", "install", "--cof")).toMatchObject({
    status: 2,
    err: expect.stringContaining("Usage:"),
  })
  expect(await command(undefined, "install")).toMatchObject({
    status: 1,
    err: expect.stringContaining("npm run build"),
  })
  expect(await command("/bin/false", "--help")).toMatchObject({ status: 0, out: expect.stringContaining("Usage:") })
})
