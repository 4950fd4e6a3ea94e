import { act } from "../command.ts"
import { readTarget } from "../parts/target.ts"
import { integer, text } from "../value.ts"

export const command = act({
  summary: "Record the packets of a container's interfaces",
  description: [
    "Writes pcapng to standard output until you interrupt it or the container ends: into a file, or into a program that reads it. With a port, the kernel passes on only what comes from or goes to it.",
  ],
  positionals: { container: { kind: "required", value: text("CONTAINER[:PORT[/PROTOCOL]]", "container") } },
  options: {
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
    { line: "linkspan capture web > web.pcapng", about: "Into a file" },
    { line: "linkspan capture web:80 | tcpdump -n -r -", about: "What goes to and from port 80, as text" },
    { line: "linkspan capture web | wireshark -k -i -", about: "Live in Wireshark" },
  ],
  request({ positionals, options }, refuse) {
    const target =
      positionals.container === "" ? undefined : readTarget(positionals.container, (why) => refuse("CONTAINER", why))
    // Without a protocol written out, any that has ports.
    const hasProtocol = positionals.container.includes("/")
    return {
      container: target?.to ?? positionals.container,
      ...(target?.port === undefined ? {} : { port: target.port }),
      ...(target?.protocol === undefined || !hasProtocol ? {} : { protocol: target.protocol }),
      ...(options.interface === undefined ? {} : { ifname: options.interface }),
      ...(options.snaplen === undefined ? {} : { snapBytes: options.snaplen }),
      ...(options.count === undefined ? {} : { packets: options.count }),
    }
  },
  origins: () => ({
    container: "CONTAINER",
    port: "CONTAINER",
    protocol: "CONTAINER",
    ifname: "--interface",
    snapBytes: "--snaplen",
    packets: "--count",
  }),
  async act(session, request) {
    const { world } = session
    if (session.look().columns !== undefined) {
      const { LinkspanError } = await import("#model/errors.ts")
      throw new LinkspanError("INVALID_REQUEST", {
        message: "Cannot capture to a terminal: what is written is binary",
        hint: `Send it elsewhere: linkspan capture ${request.container} | tcpdump -n -r -`,
      })
    }
    const engine = await session.engine()
    const signal = AbortSignal.any([world.stopSignal(), await world.unread()])
    for await (const bytes of engine.capture(request, { signal })) {
      if (!(await world.out(bytes))) {
        break
      }
    }
    return 0
  },
})
