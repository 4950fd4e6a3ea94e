// Debian's containerd with an image of busybox alone, without anything being installed or pulled.

import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Host } from "../host.ts"
import { unpacked } from "../kernel/debian-package.ts"
import { run, toolEnvironment, until } from "../run.ts"
import { CONFLIST, PROGRAM } from "./plugin.ts"

export const IMAGE = "localhost/box:1"

async function sha256(path: string): Promise<string> {
  return new Bun.CryptoHasher("sha256").update(await Bun.file(path).arrayBuffer()).digest("hex")
}

/** An image with nothing in it but busybox, as `docker save` writes one. */
async function makeImage(directory: string, busybox: string, command: readonly string[]): Promise<string> {
  const bin = join(directory, "rootfs/bin")
  mkdirSync(bin, { recursive: true })
  await Bun.write(join(bin, "busybox"), Bun.file(busybox))
  chmodSync(join(bin, "busybox"), 0o755)
  symlinkSync("busybox", join(bin, "sh"))
  writeFileSync(join(directory, "rootfs/hello"), "hello")
  const layer = join(directory, "layer.tar")
  ;(await run(["tar", "-C", join(directory, "rootfs"), "-cf", layer, "."])).ok()
  const config = {
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: { Env: ["PATH=/bin"], Cmd: command },
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

export interface Containerd extends AsyncDisposable {
  readonly directory: string
  readonly socket: string
  readonly env: Readonly<Record<string, string>>
  ctr(...args: string[]): Promise<unknown>
}

/** Runs in the host's network namespace, with linkspan and CONFLIST where `directory` is. */
export async function startContainerd(
  host: Host,
  options: { readonly command?: readonly string[]; readonly cri?: string; readonly capabilities?: object } = {},
): Promise<Containerd> {
  const tools = await unpacked("containerd", "runc", "busybox-static")
  const directory = host.file("containerd")
  const env = { ...toolEnvironment(), PATH: `${tools}/usr/bin:${tools}/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin` }
  const image = await makeImage(directory, join(tools, "bin/busybox"), options.command ?? ["sh"])
  const socket = join(directory, "c.sock")
  const cri = options.cri ?? 'disabled_plugins = ["io.containerd.grpc.v1.cri"]'
  await Bun.write(
    join(directory, "config.toml"),
    `version = 2\nroot = "${directory}/root"\nstate = "${directory}/state"\n${cri.startsWith("[") ? "" : cri}\n[grpc]\naddress = "${socket}"\n${cri.startsWith("[") ? cri : ""}\n`,
  )
  const { name, ...plugin } = {
    ...CONFLIST,
    ...(options.capabilities === undefined ? {} : { capabilities: options.capabilities }),
  }
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
  const daemon = host.start(["containerd", "-c", join(directory, "config.toml")], { env })
  const ctr = async (...args: string[]) => (await run(["ctr", "-a", socket, ...args], { env })).ok()
  const isUp = async () => ((await run(["ctr", "-a", socket, "version"], { env })).code === 0 ? true : undefined)
  if ((await until(isUp, 20_000)) === undefined) {
    throw new Error(`containerd did not start\n${daemon.stdout}`)
  }
  await ctr(
    "-n",
    options.cri === undefined ? "default" : "k8s.io",
    "images",
    "import",
    "--snapshotter",
    "native",
    image,
  )
  return { directory, socket, env, ctr, [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose]() }
}
