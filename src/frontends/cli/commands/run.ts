import type { JoinRequest, RunRequest } from "#model/request.ts"
import { act, type RefuseAt } from "../command.ts"
import { follow } from "../foreground.ts"
import { absolute } from "../globals.ts"
import { CONTAINER_DNS, containerDnsOrigins, readContainerDns } from "../parts/dns.ts"
import { ENVIRONMENT, readEnvironment } from "../parts/environment.ts"
import { isMode, joinsOrigins, NETWORKS, readJoins } from "../parts/joins.ts"
import { LABEL, readLabels } from "../parts/labels.ts"
import { PUBLISH, portOrigins, readPublish } from "../parts/ports.ts"
import { bytes, integer, text } from "../value.ts"

export const command = act({
  plans: true,
  summary: "Start a command in network namespaces of its own",
  description: [
    "The command gets network, mount, UTS and PID namespaces of its own, on the host's root filesystem or on --rootfs. In the foreground it has this terminal, signals are passed on, and its exit status becomes linkspan's. With -d it runs on by itself and writes to its log (linkspan logs), which keeps the newest output, up to --log-size times --log-files.",
    "--network host, none and container:NAME stand alone: the host's namespace, one with loopback only, or another container's.",
    "--ip, --ip6, --mac, --ifname, --priority and --alias are for a single --network; for several write --network NAME:ip=ADDRESS,alias=NAME.",
  ],
  positionals: {},
  rest: { metavar: "COMMAND [ARG…]", required: true },
  options: {
    name: { kind: "one", value: text("NAME"), about: "The container's name (default: one that linkspan makes up)" },
    hostname: { kind: "one", value: text("NAME"), about: "Its host name (default: its name)" },
    detach: { kind: "flag", short: "d", about: "Run in the background and print the container's name" },
    rm: { kind: "flag", about: "Remove the container when its command ends" },
    "log-size": { kind: "one", value: bytes, about: "How long one file of a container's log may get (default: 8m)" },
    "log-files": {
      kind: "one",
      value: integer("N"),
      about: "How many files its log has; the eldest makes room for the newest (default: 2)",
    },
    ...NETWORKS,
    ...PUBLISH,
    ...CONTAINER_DNS,
    rootfs: { kind: "one", value: text("DIR", "directory"), about: "Root filesystem (default: the host's)" },
    ...ENVIRONMENT,
    workdir: { kind: "one", short: "w", value: text("DIR", "directory"), about: "Directory to start in" },
    user: { kind: "one", short: "u", value: text("USER[:GROUP]"), about: "Run as this user, by name or number" },
    "cap-add": {
      kind: "many",
      value: text("CAPABILITY"),
      about: "Keep a capability beyond the default set, such as NET_ADMIN",
    },
    ...LABEL,
    interactive: {
      kind: "flag",
      short: "i",
      about: "Understood for the sake of habit: a foreground command always has this stdin",
    },
    tty: {
      kind: "flag",
      short: "t",
      about: "Understood for the sake of habit: a foreground command always has this terminal",
    },
  },
  examples: [
    {
      line: "linkspan run --network web --name api -d -p 8080:80 -- python3 -m http.server 80 --bind ::",
      about: "A server in the background",
    },
    { line: "linkspan run --rm --network web sh", about: "A shell on the network web" },
    {
      line: "linkspan run --rm --network web:ip=10.89.0.9 --network db:priority=10 -- ip addr",
      about: "Two networks, one with a fixed address, the other with the default route",
    },
    {
      line: "linkspan run --rm --network container:api -- ss -tln",
      about: "Look around in another container's namespace",
    },
  ],
  async request({ options, rest }, refuse, world): Promise<RunRequest> {
    return {
      command: rest,
      ...readModeOrNetworks(readJoins(options, refuse), refuse),
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
      ...readPublish(options.publish),
      ...readContainerDns(options),
      ...readLabels(options.label),
      ...(options.rootfs === undefined ? {} : { rootfs: absolute(options.rootfs, world.directory) }),
      ...(options.detach === undefined ? {} : { detach: options.detach }),
      ...(options.rm === undefined ? {} : { autoRemove: options.rm }),
      ...readLogLimit(options),
      ...(await readEnvironment(options, world, refuse)),
      ...(options.workdir === undefined ? {} : { workdir: options.workdir }),
      ...(options["cap-add"].length === 0 ? {} : { capAdd: options["cap-add"] }),
      ...(options.user === undefined ? {} : { user: options.user }),
    }
  },
  check: async (request) => (await import("#model/validate-run.ts")).checkRun(request).issues,
  origins: ({ options }) => ({
    command: "COMMAND",
    mode: "--network",
    name: "--name",
    hostname: "--hostname",
    ...joinsOrigins(options),
    ...portOrigins("publish", "--publish", options.publish),
    ...containerDnsOrigins(options),
    labels: "--label",
    rootfs: "--rootfs",
    detach: "--detach",
    autoRemove: "--rm",
    log: options["log-size"] === undefined ? "--log-files" : "--log-size",
    "log.maxBytes": "--log-size",
    "log.files": "--log-files",
    env: "--env",
    workdir: "--workdir",
    capAdd: "--cap-add",
    user: "--user",
  }),
  async act(session, request) {
    const engine = await session.engine()
    const outcome = await engine.run(request, await session.mutation())
    if (await session.printOutcome(outcome)) {
      return 0
    }
    const { container } = outcome.result
    if (request.detach === true) {
      await (session.globals.json ? session.printJson(container) : session.printLines([container.name]))
      return 0
    }
    return follow(outcome.result)
  },
})

function readLogLimit(options: {
  readonly "log-size"?: number | undefined
  readonly "log-files"?: number | undefined
}): Pick<RunRequest, "log"> {
  const log = {
    ...(options["log-size"] === undefined ? {} : { maxBytes: options["log-size"] }),
    ...(options["log-files"] === undefined ? {} : { files: options["log-files"] }),
  }
  return Object.keys(log).length === 0 ? {} : { log }
}

function readModeOrNetworks(joins: readonly JoinRequest[], refuse: RefuseAt): Pick<RunRequest, "mode" | "networks"> {
  const mode = joins.find((join) => isMode(join.network))
  if (mode === undefined) {
    return joins.length === 0 ? {} : { networks: joins }
  }
  if (joins.length > 1) {
    refuse("--network", `${mode.network} stands alone, without other networks`)
  } else if (Object.keys(mode).length > 1) {
    refuse("--network", `${mode.network} is no network of which an address, a name or the like could be wanted`)
  }
  return { mode: mode.network }
}
