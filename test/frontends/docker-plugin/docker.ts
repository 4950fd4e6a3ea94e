// Debian's dockerd inside a test's host namespace, with a /run of its own, and linkspan's plugin in the directory where
// that dockerd looks for plugins.

import { cpSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { serveDockerPlugin } from "../../../src/frontends/docker-plugin/serve.ts"
import type { Linkspan } from "../../../src/index.ts"
import type { Service } from "../../../src/model/service.ts"
import type { Host } from "../../host.ts"
import { Netns, type Program } from "../../netns.ts"
import { type Ran, run, toolEnvironment, until } from "../../run.ts"

const IMAGE = "bb"
const CLI = "/usr/bin/docker"
const DAEMON = "/usr/sbin/dockerd"
const CGROUPS = "/sys/fs/cgroup"
const START_MS = 90_000
const COMMAND_MS = 90_000

export interface Scene {
  /** Of several on one host. */
  readonly name?: string
  /** Below /etc, as this dockerd alone sees it. */
  readonly etc?: Readonly<Record<string, string>>
  /** Its iptables is iptables-legacy. */
  readonly legacy?: boolean
}

export class Docker implements AsyncDisposable {
  readonly host: Host
  readonly #place: string
  readonly #options: readonly string[]
  readonly #scene: Scene
  readonly #cgroup: string
  #daemon: Program | undefined
  #holder: Program | undefined
  readonly #said: string[] = []
  #plugin: Service | undefined

  private constructor(host: Host, options: readonly string[], scene: Scene) {
    const name = scene.name ?? "d"
    this.host = host
    this.#place = host.file(name)
    this.#options = options
    this.#scene = scene
    this.#cgroup = host.unique(`docker-${name}`)
  }

  /** @param options of dockerd; it has no default bridge. */
  static async start(host: Host, options: readonly string[] = [], scene: Scene = {}): Promise<Docker> {
    const docker = new Docker(host, options, scene)
    mkdirSync(docker.plugins, { recursive: true })
    docker.#layOut()
    await docker.startDaemon()
    const root = join(docker.#place, "root/bin")
    mkdirSync(root, { recursive: true })
    cpSync("/bin/busybox", join(root, "busybox"))
    const tar = join(docker.#place, "root.tar")
    ;(await run(["tar", "-C", join(docker.#place, "root"), "-cf", tar, "."])).ok()
    await docker.ok("import", tar, IMAGE)
    return docker
  }

  get plugins(): string {
    return join(this.#place, "plugins")
  }

  get socket(): string {
    return join(this.plugins, "linkspan.sock")
  }

  get api(): string {
    return join(this.#place, "docker.sock")
  }

  #layOut(): void {
    const { etc = {}, legacy = false } = this.#scene
    mkdirSync(join(this.#place, "etc"))
    mkdirSync(join(this.#place, "bin"))
    for (const [path, text] of Object.entries(etc)) {
      const file = join(this.#place, "etc", path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
    for (const command of legacy ? ["iptables", "ip6tables"] : []) {
      symlinkSync(`/usr/sbin/${command}-legacy`, join(this.#place, "bin", command))
    }
  }

  async startDaemon(): Promise<void> {
    const place = this.#place
    const command = [
      "env",
      `PATH=${place}/bin:${process.env["PATH"]}`,
      DAEMON,
      ...["--host", `unix://${this.api}`, "--data-root", `${place}/data`, "--exec-root", `${place}/exec`],
      ...["--pidfile", `${place}/pid`, "--storage-driver", "vfs", "--bridge", "none"],
      ...["--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", `/${this.#cgroup}`],
      ...this.#options,
    ]
    const mounts = `--mount=/proc/${(await this.#mounts()).pid}/ns/mnt`
    // One that was killed may still be there as a process that nobody has waited for.
    rmSync(`${place}/exec/containerd/containerd.pid`, { force: true })
    const program = this.host.start(["nsenter", mounts, "sh", "-c", 'exec "$@" 2>&1', "sh", ...command])
    while (!(await program.nextLine(START_MS)).includes("API listen on")) {
      // It says when it is ready.
    }
    this.#daemon = program
  }

  /** What holds the mounts of all this host's daemons: a later one finds the namespaces that an earlier one has mounted. */
  async #mounts(): Promise<Program> {
    if (this.#holder === undefined) {
      const own = [
        "mount -t tmpfs -o mode=755 none /run",
        "mkdir -p /run/docker/plugins /run/netns /run/etc/new /run/etc/work",
        `mount --bind ${this.plugins} /run/docker/plugins`,
        // dockerd writes a key there.
        "mount -t overlay -o lowerdir=/etc,upperdir=/run/etc/new,workdir=/run/etc/work overlay /etc",
        `cp -r ${this.#place}/etc/. /etc/`,
      ].join(" && ")
      this.#holder = this.host.start([
        ...["unshare", "--mount", "--propagation", "private"],
        ...["sh", "-c", `${own} && echo ready && exec sleep infinity`],
      ])
      await this.#holder.nextLine()
    }
    return this.#holder
  }

  /** What the plugin has said went wrong. */
  get said(): readonly string[] {
    return this.#said
  }

  async stopDaemon(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    this.#daemon?.kill(signal)
    await this.#daemon?.exited
    await this.#daemon?.stop()
    this.#daemon = undefined
  }

  /** linkspan's plugin, for this dockerd. */
  async serve(linkspan: Linkspan): Promise<void> {
    this.#plugin = await serveDockerPlugin(linkspan, {
      socket: this.socket,
      api: this.api,
      log: (line) => this.#said.push(line),
    })
  }

  async stopPlugin(): Promise<void> {
    await this.#plugin?.[Symbol.asyncDispose]()
    this.#plugin = undefined
  }

  try(...words: string[]): Promise<Ran> {
    return run([CLI, "--host", `unix://${this.api}`, ...words], { timeoutMs: COMMAND_MS, env: toolEnvironment() })
  }

  async ok(...words: string[]): Promise<string> {
    return (await this.try(...words)).ok().stdout.trim()
  }

  /** Compose, on a project of the host's own. */
  async compose(file: string, ...words: string[]): Promise<string> {
    const env = { ...toolEnvironment(), DOCKER_HOST: `unix://${this.api}` }
    const command = ["/usr/bin/docker-compose", "--project-name", "project", "--file", file, ...words]
    return (await run(command, { timeoutMs: COMMAND_MS, env })).ok().stdout
  }

  /** A sleeping container. */
  async run(name: string, ...options: string[]): Promise<Netns> {
    await this.ok("run", "-d", "--name", name, ...options, IMAGE, "/bin/busybox", "sleep", "1000000")
    return this.netns(name)
  }

  /** The namespace of a running container. */
  async netns(name: string): Promise<Netns> {
    const pid = await this.ok("inspect", "--format", "{{.State.Pid}}", name)
    return Object.assign(new Netns(name), { path: `/proc/${pid}/ns/net` })
  }

  async inspect<T>(format: string, name: string): Promise<T> {
    return JSON.parse(await this.ok("inspect", "--format", `{{json ${format}}}`, name)) as T
  }

  #shims(): number[] {
    const own = `${this.#place}/exec/containerd/containerd.sock`
    return readdirSync("/proc")
      .filter((name) => /^[0-9]+$/.test(name))
      .filter((pid) => {
        try {
          const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")
          return words[0]?.includes("containerd-shim") === true && words.includes(own)
        } catch {
          return false
        }
      })
      .map(Number)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#daemon !== undefined) {
      const containers = (await this.try("ps", "-aq")).stdout.split("\n").filter((id) => id !== "")
      if (containers.length > 0) {
        await this.try("rm", "-f", ...containers)
      }
      await this.try("network", "prune", "-f")
      // It ends its containerd by itself.
      await this.stopDaemon()
    }
    // Of containers that were half made when their daemon was killed, it leaves these behind.
    for (const pid of this.#shims()) {
      process.kill(pid, "SIGKILL")
    }
    // Not earlier: dockerd waits a quarter of a minute for a plugin that is gone.
    await this.stopPlugin()
    await this.#holder?.stop()
    for (const hierarchy of readdirSync(CGROUPS)) {
      await until(() => removeCgroup(join(CGROUPS, hierarchy, this.#cgroup)), 5000)
    }
  }
}

/** A group whose last process has only just ended is busy for a moment. */
function removeCgroup(path: string): true | undefined {
  try {
    rmdirSync(path)
  } catch (error) {
    return (error as { code?: string }).code === "EBUSY" ? undefined : true
  }
  return true
}
