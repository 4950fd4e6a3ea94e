// The one executable and its front doors. Which one opens is decided by the name it was called by, and nothing of the
// others is loaded.

import type { Door, Surroundings } from "#engine/front-door.ts"
import type { Doors as CliDoors, ServicesOptions } from "#frontends/cli/world.ts"
import { ownProcess } from "#frontends/own-process.ts"
import { LOST_MARK } from "#model/call.ts"
import type { Service } from "#model/service.ts"

/** By the name of the program. */
const DOORS = {
  linkspan: openCli,
  cni: openCniCommand,
  // A CNI plugin, where the name cannot say so.
  __cni: async (_, around) => (await import("#frontends/cni/door.ts")).runCni(around),
  "linkspan-ipam": async (_, around) => (await import("#frontends/cni/door.ts")).runCniIpam(around),
  netavark: async (args, around) => (await import("#frontends/netavark/netavark.ts")).runNetavark(args, around),
  "aardvark-dns": async (args, around) =>
    (await import("#frontends/netavark/aardvark-dns.ts")).runAardvark(args, around),
  podman: openPodmanCommand,
  // The demo's traffic: this program again, inside the demo's namespaces.
  __peer: async (args) => (await import("#frontends/demo/demo.ts")).runPeer(args),
} as const satisfies Readonly<Record<string, Door>>

type DoorName = keyof typeof DOORS

/** What the resident process does for commands that are handed to it (handover/client.c says which). */
const HANDED: Readonly<Record<string, Door>> = {
  linkspan: async (args, around) => {
    const [{ runCli }, { handedWorld }] = await loadCli()
    return runCli(args, handedWorld(around, cliDoors(around)))
  },
  __cni: DOORS.__cni,
  "linkspan-ipam": DOORS["linkspan-ipam"],
  netavark: DOORS.netavark,
}

async function openCli(args: readonly string[], around: Surroundings): Promise<number> {
  const [{ runCli }, { processWorld }] = await loadCli()
  return runCli(args, processWorld(around, cliDoors(around)))
}

function loadCli() {
  return Promise.all([import("#frontends/cli/cli.ts"), import("#frontends/cli/process-world.ts")])
}

function cliDoors(around: Surroundings): CliDoors {
  return {
    async demo(options) {
      const { runDemo } = await import("#frontends/demo/demo.ts")
      return runDemo({ ...options, env: process.env })
    },
    ui: async (linkspan, options) => (await import("#frontends/ui/serve.ts")).serveUi(linkspan, options),
    services: (options) =>
      (options.onDemand ? [SERVICES.calls] : Object.values(SERVICES)).flatMap((start) => start(options, around) ?? []),
  }
}

/** What the resident process serves, in the order of their starts; undefined where it is not asked for. */
const SERVICES = {
  watch: ({ linkspan, heal, log }) =>
    heal ? async () => (await import("#frontends/watch/serve.ts")).serveWatch(linkspan, { log }) : undefined,
  dockerApi: ({ linkspan, engine, dockerApi, log }) =>
    dockerApi &&
    (async () => {
      const [{ serveDockerApi }, { serveApi }, { placesOf }] = await Promise.all([
        import("#frontends/docker-api/serve.ts"),
        import("#frontends/api/serve.ts"),
        import("#engine/linkspan.ts"),
      ])
      const beside = { prefix: "/v1/", answer: serveApi(linkspan, log) }
      return serveDockerApi(linkspan, { socket: `${placesOf(engine).runDir}/docker.sock`, ...dockerApi, beside, log })
    }),
  leases:
    ({ linkspan, log }) =>
    async () =>
      (await import("#frontends/dhcp/serve.ts")).serveLeases(linkspan, { log }),
  calls:
    ({ linkspan, engine, onDemand, stop }, around) =>
    async () => {
      const { serveCalls } = await import("#frontends/handover/serve.ts")
      return serveCalls({
        engine,
        doors: HANDED,
        open: (options) => around.open(options),
        stop,
        ...(onDemand ? { hasNetworks: async () => (await linkspan.state()).networks.length > 0 } : {}),
      })
    },
  ui: ({ linkspan, engine, ui }) =>
    ui === undefined
      ? undefined
      : async () => {
          const [{ serveUi }, { placesOf }] = await Promise.all([
            import("#frontends/ui/serve.ts"),
            import("#engine/linkspan.ts"),
          ])
          return serveUi(linkspan, { listen: ui, addressFile: `${placesOf(engine).runDir}/ui.address` })
        },
  metrics: ({ linkspan, metrics }) =>
    metrics && (async () => (await import("#frontends/metrics/serve.ts")).serveMetrics(linkspan, metrics)),
  dockerPlugin: ({ linkspan, dockerPlugin, log }) =>
    dockerPlugin
      ? async () => (await import("#frontends/docker-plugin/serve.ts")).serveDockerPlugin(linkspan, { log })
      : undefined,
} as const satisfies Readonly<
  Record<string, (options: ServicesOptions, around: Surroundings) => (() => Promise<Service>) | undefined>
>

async function openPodmanCommand(args: readonly string[], around: Surroundings): Promise<number> {
  const { runPodmanCommand } = await import("#frontends/netavark/podman-command.ts")
  return runPodmanCommand(args, {
    env: around.env,
    program: packedProgram(),
    uid: process.geteuid?.() ?? 0,
    out: async (text) => void (await around.out(text)),
    err: async (text) => around.err(text),
  })
}

/** Where `bun build --compile` puts what it has packed; undefined in a checkout. */
function packedProgram(): string | undefined {
  return import.meta.dir.startsWith("/$bunfs/") ? process.execPath : undefined
}

async function openCniCommand(args: readonly string[], around: Surroundings): Promise<number> {
  const { runCniCommand } = await import("#frontends/cni/command.ts")
  return runCniCommand(args, {
    program: packedProgram(),
    readInput: around.readInput,
    out: async (text) => void (await around.out(text)),
    err: async (text) => around.err(text),
  })
}

/** The door by the program's own name (a link to the executable), else by the first argument, else the command line. */
function findDoor(program: string, args: readonly string[]): { name: DoorName; args: readonly string[] } {
  const [first = "", ...others] = args
  const called = program.slice(program.lastIndexOf("/") + 1)
  // A CNI runtime calls plugins by the name that the configuration has, without arguments.
  if (called === "linkspan" && args.length === 0 && process.env["CNI_COMMAND"] !== undefined) {
    return { name: "__cni", args }
  }
  // Of another door's program every argument is its own.
  if (isDoor(first) && (!isDoor(called) || called === "linkspan")) {
    return { name: first, args: others }
  }
  return { name: isDoor(called) ? called : "linkspan", args }
}

function isDoor(name: string): name is DoorName {
  return Object.hasOwn(DOORS, name)
}

function open({ name, args }: { name: DoorName; args: readonly string[] }): Promise<number> {
  const around = ownProcess(packedProgram() !== undefined)
  if (around.env[LOST_MARK.name] !== LOST_MARK.value) {
    return DOORS[name](args, around)
  }
  // Children of this command are commands of their own.
  delete process.env[LOST_MARK.name]
  return DOORS[name](args, { ...around, open: refuseLost })
}

async function refuseLost(): Promise<never> {
  const { LinkspanError } = await import("#model/errors.ts")
  throw new LinkspanError("DAEMON_LOST", {
    message: "Cannot say whether this was done: the resident process ended in the middle of it",
    hint: "Look with linkspan ps, and run the command again if it was not",
  })
}

// No top-level await: it would keep `bun build --bytecode` from compiling this ahead.
void open(findDoor(process.argv0, process.argv.slice(2))).then((status) => process.exit(status))
