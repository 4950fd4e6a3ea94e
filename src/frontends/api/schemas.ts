// What goes over the wire, as schemas for the document: the library's own requests and views. The engine validates by
// itself, with all mistakes at once, so nothing is checked against these but in tests.

import { z } from "zod"
import type {
  AttachRequest,
  ConnectRequest,
  CreateNetworkRequest,
  DnsRecordRequest,
  PublishRequest,
  StaticRouteRequest,
  SubnetRequest,
  UpdateNetworkRequest,
} from "#model/request.ts"
import type {
  ContainerSummary,
  FirewallStatus,
  NetworkSummary,
  NetworkView,
  Obstacle,
  PublicationView,
  ReconcileReport,
  SubnetView,
} from "#model/view.ts"

/** So that a field that is added to the model is added to the document. */
type FieldsOf<T> = Record<keyof T, z.ZodType>

const text = z.string()
const texts = z.array(text)
const flag = z.boolean().optional()
const whole = z.int()
const labels = z.record(text, text)
const rate = z.object({ bitsPerSecond: whole, burstBytes: whole.optional() }).optional()

// ── Requests ────────────────────────────────────────────────────────────────────────────────────────────────────────

const Subnet = z.object({
  prefix: text,
  gateway: text.optional(),
  range: text.optional(),
  reserved: texts.optional(),
} satisfies FieldsOf<SubnetRequest>)

const DnsRecord = z.object({ name: text, addresses: texts } satisfies FieldsOf<DnsRecordRequest>)

const Route = z.object({
  destination: text,
  type: text.optional(),
  via: text.optional(),
  metric: whole.optional(),
} satisfies FieldsOf<StaticRouteRequest>)

export const CreateNetwork = z.object({
  name: text,
  id: text.optional(),
  driver: text.optional(),
  subnets: z.array(Subnet).optional(),
  ipam: text.optional(),
  ipv4: flag,
  ipv6: flag,
  mtu: z.union([whole, z.literal("auto")]).optional(),
  bridge: text.optional(),
  adopt: text.optional(),
  vlan: whole.optional(),
  vrf: text.optional(),
  internal: flag,
  gatewayMode: text.optional(),
  icc: flag,
  isolation: text.optional(),
  outbound: texts.optional(),
  masquerade: flag,
  direct: flag,
  defaultRoute: flag,
  metric: whole.optional(),
  containerIfname: text.optional(),
  parent: text.optional(),
  mode: text.optional(),
  broadcastCutoff: whole.optional(),
  labels: labels.optional(),
  dns: flag,
  dnsElsewhere: flag,
  dnsPort: whole.optional(),
  dnsServers: texts.optional(),
  dnsRecords: z.array(DnsRecord).optional(),
  dnsCache: flag,
  routes: z.array(Route).optional(),
} satisfies FieldsOf<CreateNetworkRequest>)

export const UpdateNetwork = z.object({
  addSubnets: z.array(Subnet).optional(),
  mtu: whole.optional(),
  internal: flag,
  icc: flag,
  isolation: text.optional(),
  gatewayMode: text.optional(),
  addLabels: labels.optional(),
  removeLabels: texts.optional(),
  dns: flag,
  dnsServers: texts.optional(),
  dnsRecords: z.array(DnsRecord).optional(),
  dnsCache: flag,
} satisfies FieldsOf<Omit<UpdateNetworkRequest, "network">>)

const JOIN = {
  addresses: texts.optional(),
  mac: text.optional(),
  ifname: text.optional(),
  hostIfname: text.optional(),
  gatewayPriority: whole.optional(),
  aliases: texts.optional(),
  links: z.array(z.object({ container: text, alias: text })).optional(),
  rateIn: rate,
  rateOut: rate,
  settings: z.looseObject({}).optional(),
} satisfies FieldsOf<Omit<ConnectRequest, "container" | "network">>

export const Connect = z.object({ container: text, ...JOIN })

export const Publish = z.object({
  protocol: text.optional(),
  hostIp: text.optional(),
  hostPort: whole.optional(),
  hostPortEnd: whole.optional(),
  containerPort: whole,
  count: whole.optional(),
} satisfies FieldsOf<PublishRequest>)

export const Attach = z.object({
  name: text.optional(),
  hostname: text.optional(),
  netns: z.union([
    z.object({ kind: z.literal("path"), path: text }),
    z.object({ kind: z.literal("pid"), pid: whole }),
    z.object({ kind: z.literal("new"), name: text }),
  ]),
  networks: z.array(z.object({ network: text, ...JOIN })),
  publish: z.array(Publish).optional(),
  labels: labels.optional(),
  dns: z.looseObject({}).optional(),
} satisfies FieldsOf<AttachRequest>)

// ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const publication = z.strictObject({
  protocol: z.enum(["tcp", "udp", "sctp"]),
  hostIp: text.optional(),
  hostPort: whole,
  containerPort: whole,
  count: whole,
} satisfies FieldsOf<PublicationView>)

const Network = z
  .looseObject({
    id: text,
    name: text,
    driver: z.enum(["bridge", "macvlan", "ipvlan", "foreign"]),
    createdAt: text,
    labels,
    internal: z.boolean(),
    defaultRoute: z.boolean(),
    containerIfname: text,
    subnets: z.array(
      z.looseObject({ prefix: text, gateway: text.optional(), range: text.optional(), reserved: texts }),
    ),
  })
  .meta({ id: "Network" })

export const Endpoint = z
  .looseObject({
    id: text,
    container: text,
    containerId: text,
    network: text,
    networkId: text,
    ifname: text,
    hostIfname: text.optional(),
    mac: text,
    addresses: texts,
    gateways: texts,
    gatewayPriority: whole,
    aliases: texts,
    publications: z.array(publication),
  })
  .meta({ id: "Endpoint" })

export const NetworkRow = z
  .strictObject({
    id: text,
    name: text,
    driver: text,
    ifname: text.optional(),
    subnets: texts,
    mode: text,
    containers: whole,
  } satisfies FieldsOf<NetworkSummary>)
  .meta({ id: "NetworkSummary" })

export const NetworkInspection = z
  .strictObject({
    network: Network,
    subnets: z.array(
      z.strictObject({
        prefix: text,
        gateway: text.optional(),
        range: text.optional(),
        reserved: texts,
        free: text,
        leased: whole,
      } satisfies FieldsOf<SubnetView>),
    ),
    endpoints: z.array(Endpoint),
    actual: z.looseObject({ ifname: text, up: z.boolean(), mtu: whole, mac: text }).optional(),
    problems: texts,
  } satisfies FieldsOf<NetworkView>)
  .meta({ id: "NetworkView" })

const CONTAINER = {
  id: text,
  name: text,
  status: z.enum(["running", "exited", "gone"]),
  exitCode: whole.optional(),
  mode: text,
  pid: whole.optional(),
  command: texts.optional(),
  createdAt: text,
  networks: z.array(z.strictObject({ network: text, addresses: texts })),
  publications: z.array(publication),
} satisfies FieldsOf<ContainerSummary>

export const ContainerRow = z.strictObject(CONTAINER).meta({ id: "ContainerSummary" })

export const ContainerInspection = z
  .looseObject({ ...CONTAINER, hostname: text, labels, endpoints: z.array(Endpoint), problems: texts })
  .meta({ id: "ContainerView" })

export const Named = z.strictObject({ id: text, name: text })

export const Publications = z.array(publication)

const obstacle = z.strictObject({
  traffic: z.enum(["forwarded", "names"]),
  owner: text,
  where: text,
  families: z.array(z.union([z.literal(4), z.literal(6)])),
  remedy: text,
  integrable: z.boolean(),
} satisfies FieldsOf<Obstacle>)

export const Firewall = z
  .strictObject({
    loaded: z.boolean(),
    obstacles: z.array(obstacle),
    nameObstacles: z.array(obstacle),
    integrations: z.array(z.strictObject({ owner: text, where: text, inPlace: z.boolean() })),
  } satisfies FieldsOf<FirewallStatus>)
  .meta({ id: "FirewallStatus" })

export const Reconciled = z
  .strictObject({
    repairs: texts,
    problems: texts,
    plan: texts,
    dryRun: z.boolean(),
  } satisfies FieldsOf<ReconcileReport>)
  .meta({ id: "ReconcileReport" })

export const Event = z.looseObject({ kind: text }).meta({ id: "Event" })

/** What a verb that changes something did. */
export function outcome<T extends z.ZodType>(result: T) {
  return z.strictObject({ result, plan: texts, dryRun: z.boolean(), warnings: texts })
}

export const Failure = z
  .strictObject({
    code: text.describe("One of docs/errors.md"),
    message: text,
    hint: text.optional(),
    issues: z
      .array(z.strictObject({ path: text, message: text }))
      .optional()
      .describe("All mistakes of the request"),
    details: z.looseObject({}).optional(),
  })
  .meta({ id: "Error" })

export const Version = z.strictObject({ version: text })
