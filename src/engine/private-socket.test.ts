import { afterAll, expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { leaveSocket, listenPrivately } from "./private-socket.ts"

const PLACE = mkdtempSync(join(tmpdir(), "private-socket-"))
const before = process.cwd()
afterAll(() => {
  process.chdir(before)
  rmSync(PLACE, { recursive: true })
})

test("a server's end takes its own socket away, not a file of that name where the process is", async () => {
  // Longer than a socket's address can be.
  const directory = join(PLACE, "d".repeat(120))
  const elsewhere = join(PLACE, "elsewhere")
  mkdirSync(directory)
  mkdirSync(elsewhere)
  const path = join(directory, "calls.sock")
  const listener = await listenPrivately(path, (unix) => Bun.listen({ unix, socket: { data() {} } }))
  expect(statSync(path).mode & 0o777).toBe(0o600)
  writeFileSync(join(elsewhere, "calls.sock"), "precious")
  process.chdir(elsewhere)
  leaveSocket(path, () => listener.stop(true))
  expect(process.cwd()).toBe(elsewhere)
  expect(readFileSync(join(elsewhere, "calls.sock"), "utf8")).toBe("precious")
  expect(existsSync(path)).toBeFalse()
})
