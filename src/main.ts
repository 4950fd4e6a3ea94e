// The one executable and its front doors. Which one opens is decided by the name it was called by, and nothing of the
// others is loaded.

interface Door {
  open(args: readonly string[]): Promise<number>
}

/** By the name of the program. */
const DOORS: Readonly<Record<string, Door>> = {
  linkspan: { open: openCli },
  cni: { open: openCniCommand },
  // A CNI plugin, where the name cannot say so.
  __cni: { open: openCni },
  netavark: { open: openNetavark },
  // The demo's traffic: this program again, inside the demo's namespaces.
  __peer: { open: async (args) => (await import("#frontends/demo/demo.ts")).runPeer(args) },
}

async function openCli(args: readonly string[]): Promise<number> {
  const [{ runCli }, { processWorld }] = await Promise.all([
    import("#frontends/cli/cli.ts"),
    import("#frontends/cli/process-world.ts"),
  ])
  const world = processWorld({
    env: process.env,
    async open(options) {
      const { Linkspan } = await import("#engine/linkspan.ts")
      return Linkspan.open({ ...options, oneShot: true })
    },
    async demo(options) {
      const { runDemo } = await import("#frontends/demo/demo.ts")
      return runDemo({ ...options, env: process.env })
    },
  })
  return runCli(args, world)
}

async function openCni(): Promise<number> {
  const { runCni } = await import("#frontends/cni/door.ts")
  return runCni({
    env: process.env,
    readInput: () => Bun.stdin.text(),
    out: async (text) => void (await Bun.write(Bun.stdout, text)),
    err: async (text) => void (await Bun.write(Bun.stderr, text)),
    async open(options) {
      const { Linkspan } = await import("#engine/linkspan.ts")
      return Linkspan.open({ ...options, oneShot: true })
    },
  })
}

async function openNetavark(args: readonly string[]): Promise<number> {
  const [{ runNetavark }, { writeSync }] = await Promise.all([
    import("#frontends/netavark/netavark.ts"),
    import("node:fs"),
  ])
  return runNetavark(args, {
    env: process.env,
    stdout: (text) => void writeSync(1, text),
    stderr: (text) => void writeSync(2, text),
  })
}

async function openCniCommand(args: readonly string[]): Promise<number> {
  const { runCniCommand } = await import("#frontends/cni/command.ts")
  return runCniCommand(args, {
    // Where `bun build --compile` puts what it has packed.
    program: import.meta.dir.startsWith("/$bunfs/") ? process.execPath : undefined,
    readInput: () => Bun.stdin.text(),
    out: async (text) => void (await Bun.write(Bun.stdout, text)),
    err: async (text) => void (await Bun.write(Bun.stderr, text)),
  })
}

/** The door by the program's own name (a link to the executable), else by the first argument, else the command line. */
function findDoor(program: string, args: readonly string[]): { readonly door: Door; readonly args: readonly string[] } {
  const [first = "", ...others] = args
  const name = program.slice(program.lastIndexOf("/") + 1)
  // A CNI runtime calls plugins by the name that the configuration has, without arguments.
  if (name === "linkspan" && args.length === 0 && process.env["CNI_COMMAND"] !== undefined) {
    return { door: { open: openCni }, args }
  }
  const byName = Object.hasOwn(DOORS, name) ? DOORS[name] : undefined
  const byArgument = Object.hasOwn(DOORS, first) ? DOORS[first] : undefined
  // Of another door's program every argument is its own.
  if (byArgument !== undefined && (byName === undefined || byName === DOORS["linkspan"])) {
    return { door: byArgument, args: others }
  }
  return { door: byName ?? { open: openCli }, args }
}

// No top-level await: it would keep `bun build --bytecode` from compiling this ahead.
const { door, args } = findDoor(process.argv0, process.argv.slice(2))
void door.open(args).then((status) => process.exit(status))
