// Every verb that changes something, with the scene that it needs: what the crash tests kill, at every step.

import type { Linkspan, MutationOptions } from "../../src/index.ts"

/** What a verb works on: names, so that a process of its own can be told about them. */
export interface Props {
  /** Namespaces that exist, by path. */
  readonly a: string
  readonly b: string
  /** A name for /run/netns that is free. */
  readonly fresh: string
}

export interface Verb {
  readonly name: string
  /** What there is before. */
  readonly scene: (linkspan: Linkspan, props: Props) => Promise<unknown>
  readonly act: (linkspan: Linkspan, props: Props, options: MutationOptions) => Promise<unknown>
  /** The inverse of `act`, so that one host serves for many deaths. */
  readonly restore: (linkspan: Linkspan, props: Props) => Promise<unknown>
  /** On which side a death in the middle must end. */
  readonly ends: "before" | "after"
  /** False: `restore` makes things anew, with other names. */
  readonly restoresAll?: false
  /** A bridge of somebody else's, which the scene needs. */
  readonly foreignBridge?: true
  /** A cable to `a` of somebody else's. */
  readonly foreignCable?: true
}

const WEB = { name: "web", subnets: [{ prefix: "10.77.1.0/24" }] } as const
const DB = { name: "db", subnets: [{ prefix: "10.77.2.0/24" }, { prefix: "fd77:2::/64" }] } as const

async function networks(linkspan: Linkspan): Promise<void> {
  await linkspan.networks.create(WEB)
  await linkspan.networks.create(DB)
}

async function attachA(linkspan: Linkspan, props: Props, options?: MutationOptions): Promise<void> {
  await linkspan.attach(
    {
      name: "a",
      netns: { kind: "path", path: props.a },
      networks: [{ network: "web", gatewayPriority: 5 }, { network: "db" }],
      publish: [
        { hostPort: 8080, containerPort: 80 },
        { hostPort: 5353, containerPort: 53, protocol: "udp", count: 3 },
      ],
    },
    options,
  )
}

async function attachB(linkspan: Linkspan, props: Props): Promise<void> {
  await linkspan.attach({ name: "b", netns: { kind: "path", path: props.b }, networks: [{ network: "db" }] })
}

async function runR(linkspan: Linkspan): Promise<void> {
  await linkspan.run({ name: "r", command: ["sleep", "1000"], detach: true, networks: [{ network: "web" }] })
}

const LAN = {
  name: "lan",
  driver: "macvlan",
  parent: "uplink",
  mtu: 1450,
  subnets: [{ prefix: "192.0.2.0/24", gateway: "192.0.2.2", range: "192.0.2.64/26" }],
} as const
const RATE = { bitsPerSecond: 8_000_000 }

async function wire(linkspan: Linkspan): Promise<void> {
  await linkspan.networks.create(LAN)
  await linkspan.networks.create(WEB)
}

async function attachToWire(linkspan: Linkspan, props: Props, options?: MutationOptions): Promise<void> {
  const settings = { allmulti: true, sysctls: { "net.ipv4.conf.IFNAME.arp_filter": "1" } }
  await linkspan.attach(
    {
      name: "a",
      netns: { kind: "path", path: props.a },
      networks: [
        { network: "lan", settings, gatewayPriority: 1 },
        { network: "web", settings, rateIn: RATE, rateOut: RATE },
      ],
    },
    options,
  )
}

async function wired(linkspan: Linkspan, props: Props): Promise<void> {
  await wire(linkspan)
  await attachToWire(linkspan, props)
}

async function both(linkspan: Linkspan, props: Props): Promise<void> {
  await networks(linkspan)
  await attachA(linkspan, props)
  await attachB(linkspan, props)
}

async function adopted(linkspan: Linkspan): Promise<void> {
  await linkspan.networks.create({ ...WEB, adopt: "br0" })
}

async function none(): Promise<void> {}

/** As the front door of another program asks: a container, and a network that it describes. */
async function setUp(linkspan: Linkspan, props: Props, options?: MutationOptions): Promise<void> {
  await linkspan.setUp(
    {
      id: "cccccccccccc",
      name: "c",
      netns: { kind: "path", path: props.a },
      networks: [{ network: { id: "bbbbbbbbbbbb", ...DB } }],
      publish: [{ hostPort: 8080, containerPort: 80 }],
    },
    options,
  )
}

/** Behind a program that has made the interface. */
async function setUpForeign(linkspan: Linkspan, props: Props, options?: MutationOptions): Promise<void> {
  await linkspan.setUp(
    {
      id: "cccccccccccc",
      name: "c",
      netns: { kind: "path", path: props.a },
      networks: [{ network: { id: "bbbbbbbbbbbb", name: "theirs", driver: "foreign" }, ifname: "eth0" }],
      publish: [{ hostPort: 8080, containerPort: 80 }],
    },
    options,
  )
}

const removeWeb: Verb["restore"] = (linkspan) => linkspan.networks.remove("web")

export const VERBS: readonly Verb[] = [
  {
    name: "network create, the host's first",
    scene: none,
    act: (linkspan, _, options) => linkspan.networks.create(WEB, options),
    restore: removeWeb,
    ends: "before",
  },
  {
    name: "network create, IPv6 and further",
    scene: (linkspan) => linkspan.networks.create(DB),
    act: (linkspan, _, options) => linkspan.networks.create({ ...WEB, ipv6: true, icc: false }, options),
    restore: removeWeb,
    ends: "before",
  },
  {
    name: "network create, internal",
    scene: none,
    act: (linkspan, _, options) => linkspan.networks.create({ ...WEB, internal: true }, options),
    restore: removeWeb,
    ends: "before",
  },
  {
    name: "network create, isolated",
    scene: none,
    act: (linkspan, _, options) => linkspan.networks.create({ ...WEB, gatewayMode: "isolated" }, options),
    restore: removeWeb,
    ends: "before",
  },
  {
    name: "network create, on a bridge that is there",
    scene: none,
    act: (linkspan, _, options) => linkspan.networks.create({ ...WEB, ipv6: true, adopt: "br0" }, options),
    restore: removeWeb,
    ends: "before",
    foreignBridge: true,
  },
  {
    name: "network update",
    scene: both,
    act: (linkspan, _, options) =>
      linkspan.networks.update(
        {
          network: "db",
          addSubnets: [{ prefix: "10.77.9.0/24" }],
          mtu: 1400,
          icc: false,
          internal: true,
          addLabels: { k: "v" },
        },
        options,
      ),
    // There is no way to take a subnet away.
    restore: async (linkspan, props) => {
      await linkspan.detach("a")
      await linkspan.detach("b")
      await linkspan.networks.remove("db")
      await linkspan.networks.remove("web")
      await both(linkspan, props)
    },
    ends: "before",
    restoresAll: false,
  },
  {
    name: "network update to IPv6 and routed",
    scene: async (linkspan, props) => {
      await networks(linkspan)
      await attachA(linkspan, props)
    },
    act: (linkspan, _, options) =>
      linkspan.networks.update(
        { network: "web", addSubnets: [{ prefix: "fd77:1::/64" }], gatewayMode: "routed" },
        options,
      ),
    restore: async (linkspan, props) => {
      await linkspan.detach("a")
      await linkspan.networks.remove("db")
      await linkspan.networks.remove("web")
      await networks(linkspan)
      await attachA(linkspan, props)
    },
    ends: "before",
    restoresAll: false,
  },
  {
    name: "network update, on a bridge that is there",
    scene: adopted,
    act: (linkspan, _, options) =>
      linkspan.networks.update(
        { network: "web", addSubnets: [{ prefix: "10.77.9.0/24" }, { prefix: "fd77:1::/64" }], icc: false },
        options,
      ),
    restore: async (linkspan) => {
      await linkspan.networks.remove("web")
      await adopted(linkspan)
    },
    ends: "before",
    restoresAll: false,
    foreignBridge: true,
  },
  {
    name: "network rm, the last one",
    scene: (linkspan) => linkspan.networks.create(WEB),
    act: (linkspan, _, options) => linkspan.networks.remove("web", options),
    restore: (linkspan) => linkspan.networks.create(WEB),
    ends: "after",
  },
  {
    name: "network rm, one of two",
    scene: networks,
    act: (linkspan, _, options) => linkspan.networks.remove("web", options),
    restore: (linkspan) => linkspan.networks.create(WEB),
    ends: "after",
  },
  {
    name: "network rm, of a bridge that was there",
    scene: (linkspan) => linkspan.networks.create({ ...WEB, ipv6: true, adopt: "br0" }),
    act: (linkspan, _, options) => linkspan.networks.remove("web", options),
    restore: (linkspan) => linkspan.networks.create({ ...WEB, ipv6: true, adopt: "br0" }),
    ends: "after",
    foreignBridge: true,
  },
  {
    name: "network rm --force with containers",
    scene: both,
    act: (linkspan, _, options) => linkspan.networks.remove("db", { ...options, force: true }),
    restore: async (linkspan) => {
      await linkspan.networks.create(DB)
      await linkspan.networks.connect({ container: "a", network: "db" })
      await linkspan.networks.connect({ container: "b", network: "db" })
    },
    ends: "after",
  },
  {
    name: "network prune",
    scene: networks,
    act: (linkspan, _, options) => linkspan.networks.prune(options),
    restore: networks,
    ends: "after",
  },
  {
    name: "attach to two networks with ports",
    scene: networks,
    act: attachA,
    restore: (linkspan) => linkspan.detach("a"),
    ends: "before",
  },
  {
    name: "attach a new namespace",
    scene: networks,
    act: (linkspan, props, options) =>
      linkspan.attach(
        { name: "n", netns: { kind: "new", name: props.fresh }, networks: [{ network: "web" }] },
        options,
      ),
    restore: (linkspan) => linkspan.detach("n"),
    ends: "before",
  },
  {
    name: "detach from two networks with ports",
    scene: both,
    act: (linkspan, _, options) => linkspan.detach("a", options),
    restore: attachA,
    ends: "after",
  },
  {
    name: "detach a namespace that linkspan made",
    scene: async (linkspan, props) => {
      await networks(linkspan)
      await linkspan.attach({ name: "n", netns: { kind: "new", name: props.fresh }, networks: [{ network: "web" }] })
    },
    act: (linkspan, _, options) => linkspan.detach("n", options),
    restore: (linkspan, props) =>
      linkspan.attach({ name: "n", netns: { kind: "new", name: props.fresh }, networks: [{ network: "web" }] }),
    ends: "after",
  },
  {
    name: "attach to a macvlan network, and with rates and settings",
    scene: wire,
    act: attachToWire,
    restore: (linkspan) => linkspan.detach("a"),
    ends: "before",
  },
  {
    name: "detach from a macvlan network, and with rates and settings",
    scene: wired,
    act: (linkspan, _, options) => linkspan.detach("a", options),
    restore: attachToWire,
    ends: "after",
  },
  {
    name: "network update of a macvlan network",
    scene: wired,
    act: (linkspan, _, options) => linkspan.networks.update({ network: "lan", mtu: 1400 }, options),
    restore: (linkspan) => linkspan.networks.update({ network: "lan", mtu: LAN.mtu }),
    ends: "before",
  },
  {
    name: "setUp with a network of its own",
    scene: none,
    act: setUp,
    restore: (linkspan) => linkspan.tearDown({ id: "cccccccccccc" }),
    ends: "before",
  },
  {
    name: "tearDown with a network of its own",
    scene: setUp,
    act: (linkspan, _, options) => linkspan.tearDown({ id: "cccccccccccc" }, options),
    restore: setUp,
    ends: "after",
  },
  {
    name: "setUp at somebody else's interface",
    scene: none,
    act: setUpForeign,
    restore: (linkspan) => linkspan.tearDown({ id: "cccccccccccc" }),
    ends: "before",
    foreignCable: true,
  },
  {
    name: "tearDown at somebody else's interface",
    scene: setUpForeign,
    act: (linkspan, _, options) => linkspan.tearDown({ id: "cccccccccccc" }, options),
    restore: setUpForeign,
    ends: "after",
    foreignCable: true,
  },
  {
    name: "run in the background",
    scene: networks,
    act: (linkspan, _, options) =>
      linkspan.run(
        {
          name: "r",
          command: ["sleep", "1000"],
          detach: true,
          networks: [{ network: "web" }, { network: "db" }],
          publish: [{ hostPort: 8081, containerPort: 80 }],
        },
        options,
      ),
    restore: (linkspan) => linkspan.remove("r", { force: true }),
    ends: "before",
  },
  {
    name: "rm --force of a container that runs",
    scene: async (linkspan) => {
      await networks(linkspan)
      await runR(linkspan)
    },
    act: (linkspan, _, options) => linkspan.remove("r", { ...options, force: true }),
    restore: runR,
    ends: "after",
  },
  {
    name: "network connect that takes over the default route",
    scene: both,
    act: (linkspan, _, options) =>
      linkspan.networks.connect({ container: "b", network: "web", gatewayPriority: 9 }, options),
    restore: (linkspan) => linkspan.networks.disconnect({ container: "b", network: "web" }),
    ends: "before",
  },
  {
    name: "network disconnect that gives up the default route",
    scene: both,
    act: (linkspan, _, options) => linkspan.networks.disconnect({ container: "a", network: "web" }, options),
    restore: async (linkspan) => {
      await linkspan.networks.connect({ container: "a", network: "web", gatewayPriority: 5 })
      await linkspan.publish("a", [{ hostPort: 8080, containerPort: 80 }])
    },
    ends: "after",
  },
  {
    name: "publish",
    scene: both,
    act: (linkspan, _, options) =>
      linkspan.publish("a", [{ hostPort: 9000, containerPort: 90, count: 5 }, { containerPort: 91 }], options),
    restore: (linkspan) => linkspan.unpublish("a", [{ containerPort: 90, count: 5 }, { containerPort: 91 }]),
    ends: "before",
  },
  {
    name: "unpublish",
    scene: both,
    act: (linkspan, _, options) =>
      linkspan.unpublish("a", [{ hostPort: 5353, containerPort: 53, protocol: "udp", count: 3 }], options),
    restore: (linkspan) => linkspan.publish("a", [{ hostPort: 5353, containerPort: 53, protocol: "udp", count: 3 }]),
    ends: "before",
  },
]

export function verbNamed(name: string): Verb {
  const verb = VERBS.find((each) => each.name === name)
  if (verb === undefined) {
    throw new Error(`There is no verb "${name}"`)
  }
  return verb
}
