// Rules, elements and verdicts of nf_tables as other people have them: from netlink to what plan/firewall judges.

import type {
  ForeignElement,
  ForeignRule,
  ForeignVerdict,
  Instruction,
  PacketField,
} from "#plan/firewall/foreign-filter.ts"
import {
  type ExpressionData,
  NF_ACCEPT,
  NF_DROP,
  NF_QUEUE,
  NFT_BITWISE_MASK_XOR,
  NFT_CMP_EQ,
  NFT_CMP_NEQ,
  NFT_CT,
  type NFT_GETRULE,
  type NFT_GETSETELEM,
  NFT_GOTO,
  NFT_JUMP,
  NFT_LOOKUP_F_INV,
  NFT_META,
  NFT_OBJECT_COUNTER,
  NFT_PAYLOAD_TRANSPORT_HEADER,
  NFT_RETURN,
  NFT_SET_ELEM_CATCHALL,
  NFT_SET_ELEM_INTERVAL_END,
} from "#wire/nfnl/nftables.ts"
import type { AttrsOf } from "#wire/nlmsg.ts"
import { xtMatch, xtTarget } from "./xt-extension.ts"

type RuleAttrs = AttrsOf<typeof NFT_GETRULE>
type Expression = NonNullable<NonNullable<RuleAttrs["expressions"]>["element"]>[number]
type ElementAttrs = NonNullable<NonNullable<AttrsOf<typeof NFT_GETSETELEM>["elements"]>["element"]>[number]
type VerdictAttrs = NonNullable<NonNullable<ElementAttrs["data"]>["verdict"]>

export function toRule({ expressions, handle, userdata }: RuleAttrs): ForeignRule {
  const steps = (expressions?.element ?? []).map(stepsOf)
  const comment =
    (userdata === undefined ? undefined : commentIn(userdata)) ??
    steps.find((step) => step.comment !== undefined)?.comment
  return {
    instructions: steps.flatMap((step) => step.steps),
    ...(comment === undefined ? {} : { comment }),
    ...(handle === undefined ? {} : { handle: new DataView(handle.buffer, handle.byteOffset).getBigUint64(0) }),
  }
}

interface Steps {
  readonly steps: readonly Instruction[]
  readonly comment?: string
}

const UNKNOWN: Steps = { steps: [{ kind: "unknown" }] }
const NOTHING: Steps = { steps: [] }
const VERDICT_REGISTER = 0

/** enum nft_registers: 1 to 4 have 16 bytes, 8 to 23 are the same bytes by fours. */
function place(register: number | undefined): number {
  const number = register ?? 0
  return number < 8 ? number * 16 : 16 + (number - 8) * 4
}

const META: ReadonlyMap<number, PacketField> = new Map([
  [NFT_META.iifname, "iifname"],
  [NFT_META.oifname, "oifname"],
  [NFT_META.iifkind, "iifkind"],
  [NFT_META.oifkind, "oifkind"],
  [NFT_META.iifgroup, "iifgroup"],
  [NFT_META.oifgroup, "oifgroup"],
  [NFT_META.bridgeIifname, "ibrname"],
  [NFT_META.bridgeOifname, "obrname"],
  [NFT_META.nfproto, "nfproto"],
  [NFT_META.l4proto, "l4proto"],
])
const CT: ReadonlyMap<number, PacketField> = new Map([
  [NFT_CT.state, "ctState"],
  [NFT_CT.status, "ctStatus"],
  [NFT_CT.direction, "ctDirection"],
])

/** TCP, UDP and their like begin with two ports. */
const PORT_BYTES = 2

const STEPS: { readonly [K in keyof ExpressionData]: (data: ExpressionData[K]) => Steps } = {
  meta: ({ key, destinationRegister, sourceRegister }) =>
    load(META.get(key ?? -1), destinationRegister, sourceRegister),
  ct: ({ key, destinationRegister, sourceRegister }) => load(CT.get(key ?? -1), destinationRegister, sourceRegister),
  cmp: ({ register, op, data }) =>
    data?.value !== undefined && (op === NFT_CMP_EQ || op === NFT_CMP_NEQ)
      ? { steps: [{ kind: "compare", from: place(register), bytes: data.value, equal: op === NFT_CMP_EQ }] }
      : UNKNOWN,
  bitwise: ({ sourceRegister, destinationRegister, mask, xor, op = NFT_BITWISE_MASK_XOR }) =>
    op === NFT_BITWISE_MASK_XOR && mask?.value !== undefined && xor?.value !== undefined
      ? {
          steps: [
            {
              kind: "mask",
              from: place(sourceRegister),
              to: place(destinationRegister),
              mask: mask.value,
              xor: xor.value,
            },
          ],
        }
      : UNKNOWN,
  immediate: ({ destinationRegister, data }) => {
    const verdict =
      destinationRegister === VERDICT_REGISTER && data?.verdict !== undefined ? toVerdict(data.verdict) : undefined
    // Without a verdict: NFT_CONTINUE, or a value for something that is judged by itself.
    return verdict === undefined ? NOTHING : { steps: [{ kind: "verdict", verdict }] }
  },
  lookup: ({ set, sourceRegister, destinationRegister, flags = 0 }) =>
    set === undefined || (destinationRegister !== undefined && destinationRegister !== VERDICT_REGISTER)
      ? UNKNOWN
      : {
          steps: [
            {
              kind: "lookup",
              set,
              from: place(sourceRegister),
              map: destinationRegister !== undefined,
              inverted: (flags & NFT_LOOKUP_F_INV) !== 0,
            },
          ],
        },
  payload: ({ base, offset, length, destinationRegister }) =>
    load(
      base === NFT_PAYLOAD_TRANSPORT_HEADER && offset === PORT_BYTES && length === PORT_BYTES ? "dport" : undefined,
      destinationRegister,
      undefined,
    ),
  match: ({ name = "", revision = 0, info = new Uint8Array() }) => xtMatch(name, revision, info),
  target: ({ name = "" }) => ({ steps: xtTarget(name) }),
  objref: ({ type }) => (type === NFT_OBJECT_COUNTER ? NOTHING : UNKNOWN),
}

/** Expressions that neither match nor decide. */
const SILENT = new Set(["counter", "log", "notrack", "last", "dup"])

function stepsOf({ name = "", data = {} }: Expression): Steps {
  if (Object.hasOwn(STEPS, name)) {
    // A cast: `name` chose both the codec that read the data and the function that takes them.
    return (STEPS[name as keyof ExpressionData] as (data: unknown) => Steps)(data)
  }
  if (SILENT.has(name)) {
    return NOTHING
  }
  switch (name) {
    case "reject":
      return { steps: [{ kind: "verdict", verdict: { kind: "drop" } }] }
    case "queue":
      return { steps: [{ kind: "verdict", verdict: { kind: "accept" } }] }
    default:
      return UNKNOWN
  }
}

function load(field: PacketField | undefined, to: number | undefined, from: number | undefined): Steps {
  if (from !== undefined) {
    return NOTHING
  }
  return field === undefined ? UNKNOWN : { steps: [{ kind: "load", to: place(to), field }] }
}

function toVerdict({ code, chain = "" }: VerdictAttrs): ForeignVerdict | undefined {
  switch (code) {
    case NF_DROP:
      return { kind: "drop" }
    case NF_ACCEPT:
      return { kind: "accept" }
    case NFT_JUMP:
      return { kind: "jump", chain }
    case NFT_GOTO:
      return { kind: "goto", chain }
    case NFT_RETURN:
      return { kind: "return" }
    default:
      // NF_QUEUE has the queue's number in its upper half; a program decides.
      return ((code ?? 0) & 0xff) === NF_QUEUE && (code ?? 0) < 0x8000_0000 ? { kind: "accept" } : undefined
  }
}

export function toElement({ key, keyEnd, data, flags = 0 }: ElementAttrs): ForeignElement {
  const verdict = data?.verdict === undefined ? undefined : toVerdict(data.verdict)
  return {
    key: key?.value ?? new Uint8Array(),
    intervalEnd: (flags & NFT_SET_ELEM_INTERVAL_END) !== 0,
    catchAll: (flags & NFT_SET_ELEM_CATCHALL) !== 0,
    ...(keyEnd?.value === undefined ? {} : { keyEnd: keyEnd.value }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(data?.value === undefined ? {} : { value: data.value }),
  }
}

/** libnftnl's udata.h: attributes of a byte of type and a byte of length. */
const NFTNL_UDATA_RULE_COMMENT = 0

function commentIn(userdata: Uint8Array): string | undefined {
  for (let at = 0; at + 2 <= userdata.length; ) {
    const [type = 0, length = 0] = userdata.subarray(at, at + 2)
    const value = userdata.subarray(at + 2, at + 2 + length)
    if (type === NFTNL_UDATA_RULE_COMMENT) {
      const end = value.indexOf(0)
      return new TextDecoder().decode(end < 0 ? value : value.subarray(0, end))
    }
    at += 2 + length
  }
  return undefined
}
