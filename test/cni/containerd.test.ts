// time limit: 180 s
// Real containerd, whose `ctr run --cni` is libcni: it starts the plugin, reads the answer, and says DEL with an empty
// CNI_NETNS when the container has ended.

import { expect, test } from "bun:test"
import { chmodSync, mkdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { ADDRESSES, Host } from "../host.ts"
import { unpacked } from "../kernel/debian-package.ts"
import { run, toolEnvironment, until } from "../run.ts"
import { CONFLIST, PROGRAM } from "./plugin.ts"

const IMAGE = "localhost/box:1"

/** libcni looks for plugins and configurations where the machine has none: the command gets its own /opt and /etc/cni. */
const IN_ITS_OWN_PLACES = `
  mount -t tmpfs none /opt && mkdir -p /opt/cni && ln -s "$1/plugins" /opt/cni/bin &&
  mount -t tmpfs none /mnt && mkdir /mnt/upper /mnt/work &&
  mount -t overlay none -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc &&
  mkdir -p /etc/cni/net.d && mount --bind "$1/net.d" /etc/cni/net.d &&
  shift && exec "$@"`

async function sha256(path: string): Promise<string> {
  return new Bun.CryptoHasher("sha256").update(await Bun.file(path).arrayBuffer()).digest("hex")
}

/** An image with nothing in it but busybox, as `docker save` writes one. */
async function makeImage(directory: string, busybox: string): Promise<string> {
  const bin = join(directory, "rootfs/bin")
  mkdirSync(bin, { recursive: true })
  await Bun.write(join(bin, "busybox"), Bun.file(busybox))
  chmodSync(join(bin, "busybox"), 0o755)
  symlinkSync("busybox", join(bin, "sh"))
  const layer = join(directory, "layer.tar")
  ;(await run(["tar", "-C", join(directory, "rootfs"), "-cf", layer, "."])).ok()
  const config = {
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: { Env: ["PATH=/bin"] },
    rootfs: { type: "layers", diff_ids: [`sha256:${await sha256(layer)}`] },
  }
  await Bun.write(join(directory, "config.json"), JSON.stringify(config))
  const manifest = [{ Config: "config.json", RepoTags: [IMAGE], Layers: ["layer.tar"] }]
  await Bun.write(join(directory, "manifest.json"), JSON.stringify(manifest))
  ;(
    await run([
      "tar",
      "-C",
      directory,
      "-cf",
      join(directory, "image.tar"),
      "config.json",
      "manifest.json",
      "layer.tar",
    ])
  ).ok()
  return join(directory, "image.tar")
}

test("a container of containerd reaches the outside and leaves nothing", async () => {
  await using host = await Host.create()
  const tools = await unpacked("containerd", "runc", "busybox-static")
  const directory = host.file("containerd")
  const env = { ...toolEnvironment(), PATH: `${tools}/usr/bin:${tools}/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin` }
  const image = await makeImage(directory, join(tools, "bin/busybox"))
  const socket = join(directory, "c.sock")
  await Bun.write(
    join(directory, "config.toml"),
    `version = 2\nroot = "${directory}/root"\nstate = "${directory}/state"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "${socket}"\n`,
  )
  const { name, ...plugin } = CONFLIST
  await Bun.write(
    join(directory, "net.d/10-lab.conflist"),
    JSON.stringify({ cniVersion: "1.0.0", cniVersions: ["0.4.0", "1.0.0", "1.1.0"], name, plugins: [plugin] }),
  )
  const program = join(directory, "plugins/linkspan")
  await Bun.write(
    program,
    `#!/bin/sh\nexport LINKSPAN_STATE_DIR='${host.stateDir}' LINKSPAN_RUN_DIR='${host.runDir}'\nexec ${PROGRAM.map((word) => `'${word}'`).join(" ")}\n`,
  )
  chmodSync(program, 0o755)

  await using _containerd = host.start(["containerd", "-c", join(directory, "config.toml")], { env })
  const ctr = async (...args: string[]) => (await run(["ctr", "-a", socket, ...args], { env })).ok()
  const isUp = async () => ((await run(["ctr", "-a", socket, "version"], { env })).code === 0 ? true : undefined)
  expect(await until(isUp, 20_000)).toBe(true)
  await ctr("images", "import", "--snapshotter", "native", image)
  await using server = await host.outside.listen(80)
  const command = `busybox ip -o addr; busybox ip route; busybox nc -w 5 ${ADDRESSES.internet4} ${server.port} < /dev/null && echo reached`
  const runIt = [
    "ctr",
    "-a",
    socket,
    "run",
    "--rm",
    "--snapshotter",
    "native",
    "--cni",
    IMAGE,
    "box",
    "sh",
    "-c",
    command,
  ]
  const ran = await run(
    host.enter([
      "unshare",
      "--mount",
      "--propagation",
      "slave",
      "sh",
      "-c",
      IN_ITS_OWN_PLACES,
      "sh",
      directory,
      ...runIt,
    ]),
    { env },
  )
  expect(ran.ok().stdout).toContain("inet 10.77.1.2/24")
  expect(ran.stdout).toContain("inet6 fd77::2/64")
  expect(ran.stdout).toContain("default via 10.77.1.1")
  expect(ran.stdout).toContain("reached")
  expect((await host.cli(["ps", "--all", "-q"])).ok().stdout).toBe("")
  expect(await host.changes()).toEqual([])
})
