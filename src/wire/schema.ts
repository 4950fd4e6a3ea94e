// Netlink's data formats as values: a table of attributes is a codec. One attribute is one line (name, number, codec),
// byte order is in the codec's name, absent means absent, and what a table does not list is kept in `unknown`, also
// when the value is written again: a message that was read can be sent back without losing anything.
//
// Layout of an attribute (include/uapi/linux/netlink.h, struct nlattr), host byte order, padded to four bytes:
//
//   |    16 bits: length incl. header    | N | O |   14 bits: type   |  payload …  | 0–3 bytes of padding |
//                                          N: NLA_F_NESTED  O: NLA_F_NET_BYTEORDER
//
// linkspan runs on little-endian machines only (x86-64, arm64), so host order is little-endian throughout.

import { type Ip, ipBytes, ipFromBytes } from "#inet/ip.ts"
import { type Mac, macBytes, macFromBytes } from "#inet/mac.ts"
import { count, type Kept, type Window } from "./window.ts"

const HOST_ORDER_IS_LITTLE = true
const NLA_HEADER = 4
const NLA_F_NESTED = 0x8000
const NLA_TYPE_MASK = 0x3fff
const LARGEST_ATTRIBUTE = 0xffff

export function align4(length: number): number {
  return (length + 3) & ~3
}

/**
 * Bytes to value and back. Writing a value that the format cannot hold is a RangeError, reading bytes that do not fit
 * a DecodeError. `enclosing` is the attribute set that the value stands in, for formats that depend on a sibling.
 */
export interface Codec<T> {
  readonly name: string
  /** Whether the payload is itself attributes (sets NLA_F_NESTED on write). */
  readonly nested?: boolean
  /** Whether the attribute may stand several times, each a member of an array. */
  readonly repeated?: boolean
  size(value: T, enclosing: unknown): number
  write(out: DataView, offset: number, value: T, enclosing: unknown): void
  read(from: Window, enclosing: unknown): T
  /** The codecs that this one is made of. */
  readonly members?: Readonly<Record<string, Codec<unknown>>>
  /** The names that it knows for numbers. */
  readonly names?: Readonly<Record<string, number>>
  /** How a trace shows the value; as it is when absent. */
  show?(value: T, enclosing: unknown): string
}

/** A value on one line, for traces: names for numbers where the codec knows them. */
export function show<T>(codec: Codec<T>, value: T, enclosing: unknown): string {
  if (codec.show !== undefined) {
    return codec.show(value, enclosing)
  }
  if (value instanceof Uint8Array) {
    return value.toHex()
  }
  if (typeof value === "string") {
    return /^[\w.:/+-]+$/.test(value) ? value : JSON.stringify(value)
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value)
}

/** The value type that a codec reads and writes. */
export type Infer<C> = C extends Codec<infer T> ? T : never

// ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A number of fixed size, which may also stand in a struct. */
export interface Scalar extends Codec<number> {
  readonly bytes: number
  get(view: DataView, at: number): number
}

function scalar(
  name: string,
  bytes: number,
  [least, most]: readonly [number, number],
  set: (view: DataView, at: number, value: number) => void,
  get: (view: DataView, at: number) => number,
): Scalar {
  return {
    name,
    bytes,
    get,
    size: () => bytes,
    write: (out, at, value) => {
      if (!Number.isInteger(value) || value < least || value > most) {
        throw new RangeError(`${name} cannot hold ${value}`)
      }
      set(out, at, value)
    },
    read: (from) => get(from.exactly(bytes, name), from.start),
  }
}

const LE = HOST_ORDER_IS_LITTLE
const U8 = [0, 0xff] as const
const U16 = [0, 0xffff] as const
const U32 = [0, 0xffff_ffff] as const
const S32 = [-0x8000_0000, 0x7fff_ffff] as const

export const u8: Scalar = scalar(
  "u8",
  1,
  U8,
  (o, at, v) => o.setUint8(at, v),
  (i, at) => i.getUint8(at),
)
export const u16: Scalar = scalar(
  "u16",
  2,
  U16,
  (o, at, v) => o.setUint16(at, v, LE),
  (i, at) => i.getUint16(at, LE),
)
export const u32: Scalar = scalar(
  "u32",
  4,
  U32,
  (o, at, v) => o.setUint32(at, v, LE),
  (i, at) => i.getUint32(at, LE),
)
export const s32: Scalar = scalar(
  "s32",
  4,
  S32,
  (o, at, v) => o.setInt32(at, v, LE),
  (i, at) => i.getInt32(at, LE),
)
export const u16be: Scalar = scalar(
  "u16be",
  2,
  U16,
  (o, at, v) => o.setUint16(at, v),
  (i, at) => i.getUint16(at),
)
export const u32be: Scalar = scalar(
  "u32be",
  4,
  U32,
  (o, at, v) => o.setUint32(at, v),
  (i, at) => i.getUint32(at),
)

export const u64: Codec<bigint> = {
  name: "u64",
  size: () => 8,
  write: (out, at, value) => {
    if (BigInt.asUintN(64, value) !== value) {
      throw new RangeError(`u64 cannot hold ${value}`)
    }
    out.setBigUint64(at, value, LE)
  },
  read: (from) => from.exactly(8, "u64").getBigUint64(from.start, LE),
}

export const u64be: Codec<bigint> = {
  ...u64,
  name: "u64be",
  write: (out, at, value) => {
    if (BigInt.asUintN(64, value) !== value) {
      throw new RangeError(`u64be cannot hold ${value}`)
    }
    out.setBigUint64(at, value)
  },
  read: (from) => from.exactly(8, "u64be").getBigUint64(from.start),
}

/** One byte that is 0 or 1. */
export const bool8: Codec<boolean> = {
  name: "bool8",
  size: () => 1,
  write: (out, at, value) => out.setUint8(at, value ? 1 : 0),
  read: (from) => from.exactly(1, "bool8").getUint8(from.start) !== 0,
}

/** An attribute whose presence is the value. */
export const flag: Codec<true> = { name: "flag", size: () => 0, write: () => {}, read: () => true }

/** Names for numbers. A number without a name reads as itself, so a newer kernel never breaks a dump. */
export function oneOf<const N extends Readonly<Record<string, number>>>(
  base: Scalar,
  names: N,
): Codec<keyof N | number> {
  const byNumber = new Map<number, keyof N>(Object.entries(names).map(([name, value]) => [value, name]))
  // An unknown name is no number, which the base refuses.
  const toNumber = (value: keyof N | number): number =>
    typeof value === "number" ? value : (names[value] ?? Number.NaN)
  return {
    name: `oneOf(${base.name})`,
    names,
    size: () => base.bytes,
    write: (out, offset, value, enclosing) => base.write(out, offset, toNumber(value), enclosing),
    read: (from, enclosing) => {
      const value = base.read(from, enclosing)
      return byNumber.get(value) ?? value
    },
  }
}

/** A number that stays one, and that traces show by name: "inet" for 2. */
export function named(base: Scalar, names: Readonly<Record<string, number>>): Scalar {
  const byNumber = new Map(Object.entries(names).map(([name, value]) => [value, name]))
  return { ...base, names, show: (value) => byNumber.get(value) ?? String(value) }
}

/** Bits of a number, which traces show by name: "up|broadcast|0x1000" for 0x1003. */
export function bits(base: Scalar, names: Readonly<Record<string, number>>): Scalar {
  return {
    ...base,
    names,
    show: (value) => {
      const set = Object.entries(names).filter(([, bit]) => (value & bit) === bit)
      const rest = set.reduce((left, [, bit]) => left & ~bit, value) >>> 0
      const words = [...set.map(([name]) => name), ...(rest === 0 ? [] : [`0x${rest.toString(16)}`])]
      return words.length === 0 ? "0" : words.join("|")
    },
  }
}

// ── Texts, bytes, addresses ─────────────────────────────────────────────────────────────────────────────────────────

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder("utf-8", { ignoreBOM: true })

/** Zero-terminated text. */
export const string: Codec<string> = {
  name: "string",
  size: (value) => utf8.encode(value).length + 1,
  write: (out, offset, value) => {
    if (value.includes("\0")) {
      throw new RangeError(`A zero-terminated string cannot hold ${JSON.stringify(value)}`)
    }
    putBytes(out, offset, utf8.encode(value))
  },
  read: (from) => {
    let text = ""
    for (let at = from.start; at < from.end; at++) {
      const byte = from.view.getUint8(at)
      if (byte === 0) {
        break
      }
      if (byte >= 0x80) {
        const { bytes } = from
        const end = bytes.indexOf(0)
        return fromUtf8.decode(end < 0 ? bytes : bytes.subarray(0, end))
      }
      text += String.fromCharCode(byte)
    }
    return text
  },
}

/** Bytes as they are, copied out of the receive buffer. */
export const binary: Codec<Uint8Array> = {
  name: "binary",
  size: (value) => value.length,
  write: putBytes,
  read: (from) => from.bytes.slice(),
}

/** An IPv4 or IPv6 address by its length. */
export const ip: Codec<Ip> = {
  name: "ip",
  size: (value) => ipBytes(value).length,
  write: (out, offset, value) => putBytes(out, offset, ipBytes(value)),
  read: (from) => {
    if (from.length !== 4 && from.length !== 16) {
      from.fail(`ip needs 4 or 16 bytes, got ${from.length}`)
    }
    return ipFromBytes(from.bytes)
  },
}

/** Six bytes; links without Ethernet addresses have other lengths, which read as all zeros. */
export const mac: Codec<Mac> = {
  name: "mac",
  size: () => 6,
  write: (out, offset, value) => putBytes(out, offset, macBytes(value)),
  read: (from) => macFromBytes(from.length === 6 ? from.bytes : new Uint8Array(6)),
}

function putBytes(out: DataView, offset: number, bytes: Uint8Array): void {
  new Uint8Array(out.buffer, out.byteOffset + offset, bytes.length).set(bytes)
}

// ── Fixed headers ───────────────────────────────────────────────────────────────────────────────────────────────────

export type StructFields = Readonly<Record<string, Scalar>>
type StructValue<F extends StructFields> = { readonly [K in keyof F]: number }

export interface StructCodec<F extends StructFields> {
  readonly name: string
  readonly fields: F
  readonly bytes: number
  write(out: DataView, offset: number, value: Partial<StructValue<F>>): void
  read(from: Window): StructValue<F>
  /** Fields that are not zero: "family=inet index=3". */
  show(value: Partial<StructValue<F>>): string
}

/** A C struct of numbers, in order; `pad` fields are written like others and default to zero. The end is aligned to four. */
export function struct<const F extends StructFields>(name: string, fields: F): StructCodec<F> {
  const layout: { readonly key: string; readonly codec: Scalar; readonly at: number }[] = []
  let end = 0
  for (const [key, codec] of Object.entries(fields)) {
    layout.push({ key, codec, at: end })
    end += codec.bytes
  }
  const bytes = align4(end)
  return {
    name,
    fields,
    bytes,
    write: (out, offset, value) => {
      for (const { key, codec, at } of layout) {
        codec.write(out, offset + at, value[key as keyof F] ?? 0, undefined)
      }
    },
    read: (from) => {
      const view = from.need(bytes, name)
      const value: Record<string, number> = {}
      for (const { key, codec, at } of layout) {
        value[key] = codec.get(view, from.start + at)
      }
      return value as StructValue<F>
    },
    show: (value) =>
      layout
        .flatMap(({ key, codec }) => {
          const number = value[key as keyof F] ?? 0
          return number === 0 ? [] : [`${key}=${show(codec, number, undefined)}`]
        })
        .join(" "),
  }
}

// ── Attribute sets ──────────────────────────────────────────────────────────────────────────────────────────────────

export interface Attr<T> {
  readonly type: number
  readonly codec: Codec<T>
}

export function attr<T>(type: number, codec: Codec<T>): Attr<T> {
  return { type, codec }
}

/** An attribute that its table does not list. */
export interface UnknownAttr {
  readonly type: number
  /** NLA_F_NESTED and NLA_F_NET_BYTEORDER as they stood there. */
  readonly flags: number
  readonly kept: Kept
}

// any: the table's columns have different value types; Infer<> gives each back.
export type AttrTable = Readonly<Record<string, Attr<any>>>
type AttrValues<A extends AttrTable> = {
  readonly [K in keyof A]?: A[K] extends Attr<infer T> ? T : never
} & { readonly unknown?: readonly UnknownAttr[] }

export interface AttributeSet<A extends AttrTable> extends Codec<AttrValues<A>> {
  readonly table: A
}

/** A set of attributes; as a codec its payload is those attributes one after another. Of one that stands twice the last counts, as in the kernel. */
export function attributeSet<const A extends AttrTable>(name: string, table: A): AttributeSet<A> {
  const rows: { readonly key: string; readonly type: number; readonly codec: Codec<unknown> }[] = []
  for (const [key, { type, codec }] of Object.entries(table)) {
    rows.push({ key, type, codec })
  }
  const byType = new Map(rows.map((row) => [row.type, row]))
  return {
    name,
    table,
    nested: true,
    size: (values) => {
      let total = 0
      for (const { key, codec } of rows) {
        for (const value of occurrences(codec, values[key])) {
          total += NLA_HEADER + align4(codec.size(value, values))
        }
      }
      for (const { kept } of values.unknown ?? []) {
        total += NLA_HEADER + align4(kept.length)
      }
      return total
    },
    write: (out, start, values) => {
      let offset = start
      const begin = (type: number, size: number): void => {
        if (NLA_HEADER + size > LARGEST_ATTRIBUTE) {
          throw new RangeError(`Attribute ${type & NLA_TYPE_MASK} of ${name} cannot hold ${size} bytes`)
        }
        out.setUint16(offset, NLA_HEADER + size, LE)
        out.setUint16(offset + 2, type, LE)
        offset += NLA_HEADER
      }
      for (const { key, type, codec } of rows) {
        for (const value of occurrences(codec, values[key])) {
          const size = codec.size(value, values)
          begin(codec.nested === true ? type | NLA_F_NESTED : type, size)
          codec.write(out, offset, value, values)
          offset += align4(size)
        }
      }
      for (const { type, flags, kept } of values.unknown ?? []) {
        begin(type | flags, kept.length)
        putBytes(out, offset, kept.bytes)
        offset += align4(kept.length)
      }
    },
    read: (from) => {
      const values: Record<string, unknown> = {}
      const unknown: UnknownAttr[] = []
      const { view, start, end } = from
      let at = start
      while (at + NLA_HEADER <= end) {
        const length = view.getUint16(at, LE)
        const word = view.getUint16(at + 2, LE)
        const type = word & NLA_TYPE_MASK
        if (length < NLA_HEADER || at + length > end) {
          from.fail(`attribute ${type} claims ${length} bytes of ${end - at}`, at - start)
        }
        const known = byType.get(type)
        if (known === undefined) {
          const kept = from.keep(at + NLA_HEADER - start, at + length - start)
          unknown.push({ type, flags: word & ~NLA_TYPE_MASK, kept })
        } else {
          const payload = from.sub(at + NLA_HEADER - start, at + length - start, known.key)
          const value = known.codec.read(payload, values)
          const before = values[known.key]
          if (known.codec.repeated === true && before !== undefined) {
            ;(before as unknown[]).push(...(value as unknown[]))
          } else {
            values[known.key] = value
          }
        }
        at += align4(length)
      }
      if (at < end) {
        from.fail(`${count(end - at)} after the last attribute`, at - start)
      }
      if (unknown.length > 0) {
        values["unknown"] = unknown
      }
      return values as AttrValues<A>
    },
    show: (values) => {
      const known = rows.flatMap(({ key, codec }) =>
        occurrences(codec, values[key]).map((value) => {
          const text = show(codec, value, values)
          return codec.nested === true ? `${key}{${text}}` : `${key}=${text}`
        }),
      )
      return [...known, ...showUnknown(values.unknown ?? [])].join(" ")
    },
  }
}

/** A link has some forty of them; that many tell nobody anything. */
const MOST_UNKNOWN_SHOWN = 4
const LONGEST_SHOWN = 8

function showUnknown(unknown: readonly UnknownAttr[]): string[] {
  if (unknown.length > MOST_UNKNOWN_SHOWN) {
    return [`(${unknown.length} more)`]
  }
  return unknown.map(
    ({ type, kept }) => `#${type}=${kept.length > LONGEST_SHOWN ? `(${kept.length} bytes)` : kept.bytes.toHex()}`,
  )
}

/** The values for which an attribute stands: none when it is absent, one for each member when it is repeated. */
function occurrences(codec: Codec<unknown>, value: unknown): readonly unknown[] {
  if (value === undefined) {
    return []
  }
  return codec.repeated === true ? (value as unknown[]).map((member) => [member]) : [value]
}

/** Attributes behind a fixed header (VETH_INFO_PEER); the header's values stand under `header`. */
export function headed<F extends StructFields, T>(
  header: StructCodec<F>,
  set: Codec<T>,
): Codec<{ readonly header?: Partial<StructValue<F>>; readonly attrs: T }> {
  return {
    name: `${header.name}+${set.name}`,
    members: { attrs: set },
    nested: true,
    size: (value, enclosing) => header.bytes + set.size(value.attrs, enclosing),
    write: (out, offset, value, enclosing) => {
      header.write(out, offset, value.header ?? {})
      set.write(out, offset + header.bytes, value.attrs, enclosing)
    },
    read: (from, enclosing) => {
      const values = header.read(from)
      return { header: values, attrs: set.read(from.sub(header.bytes, from.length, "attrs"), enclosing) }
    },
    show: (value, enclosing) =>
      [header.show(value.header ?? {}), show(set, value.attrs, enclosing)].filter((part) => part !== "").join(" "),
  }
}

/** An attribute that may stand several times. */
export function multi<T>(codec: Codec<T>): Codec<readonly T[]> {
  return {
    name: `multi(${codec.name})`,
    members: { each: codec },
    ...(codec.nested === undefined ? {} : { nested: codec.nested }),
    repeated: true,
    size: (value, enclosing) => codec.size(value[0] as T, enclosing),
    write: (out, offset, value, enclosing) => codec.write(out, offset, value[0] as T, enclosing),
    read: (from, enclosing) => [codec.read(from, enclosing)],
    show: (value, enclosing) => show(codec, value[0] as T, enclosing),
  }
}

type Selected<C extends Readonly<Record<string, unknown>>> = { [K in keyof C]: Infer<C[K]> }[keyof C]

/** For kinds that have no table: everything is `unknown`. */
const Unlisted: Codec<unknown> = attributeSet("unlisted", {})

/**
 * A payload whose set is chosen by a sibling attribute that stands before it (IFLA_INFO_DATA by IFLA_INFO_KIND; the
 * kernel always dumps them in that order). What has no set of its own is kept as it is.
 */
// any: each kind has its own value type, given back by Selected<>.
export function selectBy<const C extends Readonly<Record<string, Codec<any>>>>(
  sibling: string,
  codecs: C,
): Codec<Selected<C>> {
  const choose = (enclosing: unknown): Codec<Selected<C>> => {
    const kind = (enclosing as Record<string, unknown>)[sibling]
    const chosen = typeof kind === "string" && Object.hasOwn(codecs, kind) ? codecs[kind] : undefined
    return chosen ?? (Unlisted as Codec<Selected<C>>)
  }
  return {
    name: `selectBy(${sibling})`,
    members: codecs,
    nested: true,
    size: (value, enclosing) => choose(enclosing).size(value, enclosing),
    write: (out, offset, value, enclosing) => choose(enclosing).write(out, offset, value, enclosing),
    read: (from, enclosing) => choose(enclosing).read(from, enclosing),
    show: (value, enclosing) => show(choose(enclosing), value, enclosing),
  }
}
