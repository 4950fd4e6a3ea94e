// No name server at all: a few lines of C (answer.c) that say the same to every question, at 127.0.0.11 inside the
// container. What dnsperf gets of it is the most that it can get of anybody on this machine.

import type { Start } from "../contender.ts"
import { ipBatch, netnsName, run } from "../lab.ts"
import { asking, serveOutside } from "../names.ts"

const ADDRESS = "127.0.0.11"

export const start: Start = async ({ dir, namespaces }) => {
  await serveOutside(dir)
  const [first = ""] = namespaces
  await ipBatch(["link set lo up"], netnsName(first))
  const program = `${dir}/answer`
  await run("gcc", "-O2", "-o", program, `${import.meta.dir}/../answer.c`)
  const server = Bun.spawn(["nsenter", `--net=${first}`, "setsid", program, ADDRESS], {
    stdout: "ignore",
    stderr: "inherit",
  })
  const names = Array.from({ length: namespaces.length - 1 }, (_, n) => `c${n}`)
  return {
    version: "a canned answer",
    attach: () => Promise.resolve(0),
    detach: () => Promise.resolve(0),
    extra: await asking({ dir, from: first, server: ADDRESS, names, pid: server.pid }),
    async close() {
      server.kill("SIGKILL")
      await server.exited
    },
  }
}
