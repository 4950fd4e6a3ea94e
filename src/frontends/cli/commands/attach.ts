import type { NetnsRequest } from "#model/request.ts"
import { change, type RefuseAt } from "../command.ts"
import { netnsPath } from "../globals.ts"
import { CONTAINER_DNS, containerDnsOrigins, readContainerDns } from "../parts/dns.ts"
import { isMode, joinsOrigins, NETWORKS, readJoins } from "../parts/joins.ts"
import { LABEL, readLabels } from "../parts/labels.ts"
import { PUBLISH, portOrigins, readPublish } from "../parts/ports.ts"
import { integer, text } from "../value.ts"

export const command = change({
  summary: "Give a network namespace its networks",
  description: [
    "The namespace is somebody else's and stays theirs: a path, that of a process, or one that linkspan makes with --new as `ip netns add` would. From then on it is a container like any other.",
  ],
  positionals: { name: { kind: "optional", value: text("NAME") } },
  options: {
    netns: {
      kind: "one",
      value: text("PATH", "file"),
      about: "The namespace's file; a name without a slash is looked for in /run/netns",
    },
    pid: { kind: "one", value: integer("PID"), about: "The namespace of a running process" },
    new: {
      kind: "one",
      value: text("NAME"),
      bare: "",
      about: "Make a namespace: --new=NAME, or --new alone for one named like the container",
    },
    hostname: { kind: "one", value: text("NAME"), about: "The container's host name (default: its name)" },
    ...NETWORKS,
    ...PUBLISH,
    ...CONTAINER_DNS,
    ...LABEL,
  },
  examples: [
    { line: "linkspan attach api --netns /run/netns/blue --network web -p 8080:80", about: "A namespace of your own" },
    { line: "linkspan attach --pid 4242 --network web", about: "The namespace of a running process" },
    {
      line: "linkspan attach box --new --network web --network db:ip=10.89.7.9",
      about: "A new namespace on two networks",
    },
  ],
  request({ positionals, options }, refuse, world) {
    const networks = readJoins(options, refuse)
    for (const { network } of networks.filter((join) => isMode(join.network))) {
      refuse("--network", `${network} is no network; only linkspan run starts containers in such a mode`)
    }
    return {
      ...(positionals.name === undefined ? {} : { name: positionals.name }),
      ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
      netns: readNetns({ ...options, name: positionals.name }, world.directory, refuse),
      networks,
      ...readPublish(options.publish),
      ...readContainerDns(options),
      ...readLabels(options.label),
    }
  },
  check: async (request) => (await import("#model/validate-attach.ts")).checkAttach(request).issues,
  origins: ({ options }) => ({
    name: "NAME",
    hostname: "--hostname",
    netns: options.pid !== undefined ? "--pid" : options.new !== undefined ? "--new" : "--netns",
    ...joinsOrigins(options),
    ...portOrigins("publish", "--publish", options.publish),
    ...containerDnsOrigins(options),
    labels: "--label",
  }),
  change: (engine, request, options) => engine.attach(request, options),
  show: ({ name }) => `${name}\n`,
})

interface Places {
  readonly name: string | undefined
  readonly netns: string | undefined
  readonly pid: number | undefined
  readonly new: string | undefined
}

function readNetns(places: Places, directory: string, refuse: RefuseAt): NetnsRequest {
  const given = [places.netns, places.pid, places.new].filter((place) => place !== undefined)
  if (given.length !== 1) {
    refuse(
      "--netns",
      given.length === 0
        ? "is missing; say which namespace with --netns PATH, --pid PID or --new"
        : "excludes --pid and --new, and these exclude each other",
    )
  }
  if (places.new !== undefined) {
    const name = places.new === "" ? places.name : places.new
    if (name === undefined) {
      refuse("--new", "needs a name; write --new=NAME, or name the container")
    }
    return { kind: "new", name: name ?? "" }
  }
  if (places.pid !== undefined) {
    return { kind: "pid", pid: places.pid }
  }
  return { kind: "path", path: netnsPath(places.netns, directory) ?? "" }
}
