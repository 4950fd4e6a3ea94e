import { act } from "../command.ts"
import { readTarget } from "../parts/target.ts"
import { integer, text } from "../value.ts"
import type { FileOutput, World } from "../world.ts"

export const command = act({
  summary: "Record the packets of a container's interfaces",
  description: [
    "Writes pcapng until you interrupt it or the container ends: to standard output, for a program that reads it, or into a file (--write). With a port, the kernel passes on only what comes from or goes to it.",
  ],
  positionals: { container: { kind: "required", value: text("CONTAINER[:PORT[/PROTOCOL]]", "container") } },
  options: {
    write: {
      kind: "one",
      short: "w",
      value: text("FILE", "file"),
      about: "Into this file, readable for you alone if it is new; - for standard output (the default)",
    },
    interface: {
      kind: "one",
      short: "i",
      value: text("IFNAME"),
      about: "Only this one, by its name in the container; all but the loopback interface otherwise",
    },
    count: {
      kind: "one",
      short: "c",
      value: integer("PACKETS", { min: 1, max: 1_000_000_000 }),
      about: "End after so many",
    },
    snaplen: {
      kind: "one",
      short: "s",
      value: integer("BYTES", { min: 14, max: 262_144 }),
      about: "Keep only so much of each packet",
    },
  },
  examples: [
    { line: "linkspan capture web -w web.pcapng", about: "Into a file" },
    { line: "linkspan capture web:80 | tcpdump -n -r -", about: "What goes to and from port 80, as text" },
    { line: "linkspan capture web | wireshark -k -i -", about: "Live in Wireshark" },
  ],
  request({ positionals, options }, refuse) {
    const target =
      positionals.container === "" ? undefined : readTarget(positionals.container, (why) => refuse("CONTAINER", why))
    // Without a protocol written out, any that has ports.
    const hasProtocol = positionals.container.includes("/")
    const file = options.write === "-" ? undefined : options.write
    return {
      ...(file === undefined ? {} : { file }),
      container: target?.to ?? positionals.container,
      ...(target?.port === undefined ? {} : { port: target.port }),
      ...(target?.protocol === undefined || !hasProtocol ? {} : { protocol: target.protocol }),
      ...(options.interface === undefined ? {} : { ifname: options.interface }),
      ...(options.snaplen === undefined ? {} : { snapBytes: options.snaplen }),
      ...(options.count === undefined ? {} : { packets: options.count }),
    }
  },
  origins: () => ({
    file: "--write",
    container: "CONTAINER",
    port: "CONTAINER",
    protocol: "CONTAINER",
    ifname: "--interface",
    snapBytes: "--snaplen",
    packets: "--count",
  }),
  async act(session, { file, ...request }) {
    const { world } = session
    if (file === undefined && session.look().columns !== undefined) {
      const { LinkspanError } = await import("#model/errors.ts")
      throw new LinkspanError("INVALID_REQUEST", {
        message: "Cannot capture to a terminal: what is written is binary",
        hint: `Send it elsewhere: linkspan capture ${request.container} -w FILE, or | tcpdump -n -r -`,
      })
    }
    const engine = await session.engine()
    const stop = world.stopSignal()
    if (file === undefined) {
      const signal = AbortSignal.any([stop, await world.unread()])
      for await (const bytes of engine.capture(request, { signal })) {
        if (!(await world.out(bytes))) {
          break
        }
      }
      return 0
    }
    await using opened = new AsyncDisposableStack()
    let output: FileOutput | undefined
    for await (const bytes of engine.capture(request, { signal: stop })) {
      // Not before there is something: what cannot be captured leaves no empty file.
      output ??= opened.use(await create(world, file))
      await output.write(bytes)
    }
    return 0
  },
})

async function create(world: World, file: string): Promise<FileOutput> {
  try {
    return await world.createFile(file)
  } catch (cause) {
    const { LinkspanError } = await import("#model/errors.ts")
    throw new LinkspanError("INVALID_REQUEST", {
      message: `Cannot capture into "${file}": ${(cause as Error).message}`,
      hint: "Name a file in a directory that you can write to",
      cause,
    })
  }
}
