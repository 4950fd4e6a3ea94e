// Names by aardvark-dns, as netavark starts it for one network: it listens at the gateway, reads names and addresses
// from a file, and is told of changes by a signal. One container is real, the others are lines of that file.

import { mkdir, readFile, writeFile } from "node:fs/promises"
import type { Start } from "../contender.ts"
import { ipBatch, netnsName, run, until } from "../lab.ts"
import { asking, serveOutside } from "../names.ts"

const AARDVARK = "/usr/lib/podman/aardvark-dns"
const GATEWAY = "10.74.0.1"

export const start: Start = async ({ dir, namespaces }) => {
  await serveOutside(dir)
  const [first = ""] = namespaces
  const netns = netnsName(first)
  await ipBatch([
    ...["link add podman1 type bridge", `addr add ${GATEWAY}/16 dev podman1`, "link set podman1 up"],
    ...[`link add p0 master podman1 type veth peer name eth0 netns ${netns}`, "link set p0 up"],
  ])
  const address = (n: number) => `10.74.${(n + 10) >> 8}.${(n + 10) & 255}`
  await ipBatch([`addr add ${address(0)}/16 dev eth0`, "link set lo up", "link set eth0 up"], netns)
  const names = Array.from({ length: namespaces.length - 1 }, (_, n) => `c${n}`)
  const config = `${dir}/aardvark`
  await mkdir(config)
  const line = (name: string, n: number) => `${n.toString(16).padStart(64, "b")} ${address(n)}  ${name}\n`
  await writeFile(`${config}/bench`, `${GATEWAY}\n${names.map(line).join("")}`)
  const daemon = Bun.spawn(["setsid", AARDVARK, "--config", config, "-p", "53", "run"], {
    stdout: "ignore",
    stderr: "inherit",
  })
  const pidFile = `${config}/aardvark.pid`
  await until(() => Bun.file(pidFile).exists(), "aardvark-dns has started")
  const pid = Number(await readFile(pidFile, "utf8"))
  return {
    version: (await run(AARDVARK, "--version")).trim(),
    attach: () => Promise.resolve(0),
    detach: () => Promise.resolve(0),
    extra: await asking({ dir, from: first, server: GATEWAY, names, pid }),
    async close() {
      process.kill(pid, "SIGTERM")
      await daemon.exited
    },
  }
}
