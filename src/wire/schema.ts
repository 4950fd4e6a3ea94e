// Netlink's data formats as values: a table of attributes is a codec. One attribute is one line (name, number, codec),
// byte order is in the codec's name, absent means absent, and what a table does not list is kept in `unknown`.
//
// Layout of an attribute (include/uapi/linux/netlink.h, struct nlattr), host byte order, padded to four bytes:
//
//   |    16 bits: length incl. header    | N | O |   14 bits: type   |  payload …  | 0–3 bytes of padding |
//                                          N: NLA_F_NESTED  O: NLA_F_NET_BYTEORDER
//
// Linux runs linkspan on little-endian machines only (x86-64, arm64), so host order is little-endian throughout.

import { type Ip, ipBytes, ipFromBytes } from "#inet/ip.ts"
import { type Mac, macBytes, macFromBytes } from "#inet/mac.ts"

const HOST_ORDER_IS_LITTLE = true
const NLA_HEADER = 4
const NLA_F_NESTED = 0x8000
const NLA_TYPE_MASK = 0x3fff

export function align4(length: number): number {
  return (length + 3) & ~3
}

/** Bytes that do not have the shape that their place demands. `offset` counts from the start of the message. */
export class DecodeError extends Error {
  override readonly name = "DecodeError"
  readonly path: string
  readonly offset: number

  constructor(path: string, offset: number, message: string) {
    super(`${path}: ${message} (offset ${offset})`)
    this.path = path
    this.offset = offset
  }
}

/** A part of a message being read, which knows where it is. Reading beyond its end is a {@link DecodeError}. */
export class Window {
  readonly bytes: Uint8Array
  readonly path: string
  readonly offset: number
  readonly #view: DataView

  constructor(bytes: Uint8Array, path: string, offset = 0) {
    this.bytes = bytes
    this.path = path
    this.offset = offset
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get length(): number {
    return this.bytes.length
  }

  fail(message: string): never {
    throw new DecodeError(this.path, this.offset, message)
  }

  /** The view, once it is sure to hold `size` bytes for a `what`. */
  need(size: number, what: string): DataView {
    if (this.bytes.length < size) {
      this.fail(`${what} needs ${size} byte${size === 1 ? "" : "s"}, got ${this.bytes.length}`)
    }
    return this.#view
  }

  sub(start: number, end: number, name: string): Window {
    const path = this.path === "" ? name : `${this.path}.${name}`
    return new Window(this.bytes.subarray(start, end), path, this.offset + start)
  }
}

/** `enclosing` is the attribute set that the value stands in, for the few formats that depend on a sibling. */
export interface Codec<T> {
  readonly name: string
  /** Whether the payload is itself attributes (sets NLA_F_NESTED on write). */
  readonly nested?: boolean
  /** Whether the attribute may stand several times, each a member of an array. */
  readonly repeated?: boolean
  size(value: T, enclosing: unknown): number
  write(out: DataView, offset: number, value: T, enclosing: unknown): void
  read(from: Window, enclosing: unknown): T
}

/** The value type that a codec reads and writes. */
export type Infer<C> = C extends Codec<infer T> ? T : never

function fixed<T>(
  name: string,
  size: number,
  write: (out: DataView, offset: number, value: T) => void,
  read: (view: DataView) => T,
): Codec<T> {
  return { name, size: () => size, write, read: (from) => read(from.need(size, name)) }
}

export const u8: Codec<number> = fixed("u8", 1, (o, at, v) => o.setUint8(at, v), (v) => v.getUint8(0))
export const u16: Codec<number> = fixed("u16", 2, (o, at, v) => o.setUint16(at, v, HOST_ORDER_IS_LITTLE), (v) => v.getUint16(0, HOST_ORDER_IS_LITTLE))
export const u32: Codec<number> = fixed("u32", 4, (o, at, v) => o.setUint32(at, v, HOST_ORDER_IS_LITTLE), (v) => v.getUint32(0, HOST_ORDER_IS_LITTLE))
export const u64: Codec<bigint> = fixed("u64", 8, (o, at, v) => o.setBigUint64(at, v, HOST_ORDER_IS_LITTLE), (v) => v.getBigUint64(0, HOST_ORDER_IS_LITTLE))
export const s32: Codec<number> = fixed("s32", 4, (o, at, v) => o.setInt32(at, v, HOST_ORDER_IS_LITTLE), (v) => v.getInt32(0, HOST_ORDER_IS_LITTLE))
export const u16be: Codec<number> = fixed("u16be", 2, (o, at, v) => o.setUint16(at, v), (v) => v.getUint16(0))
export const u32be: Codec<number> = fixed("u32be", 4, (o, at, v) => o.setUint32(at, v), (v) => v.getUint32(0))
/** One byte that is 0 or 1. */
export const bool8: Codec<boolean> = fixed("bool8", 1, (o, at, v) => o.setUint8(at, v ? 1 : 0), (v) => v.getUint8(0) !== 0)
/** An attribute whose presence is the value. */
export const flag: Codec<true> = { name: "flag", size: () => 0, write: () => {}, read: () => true }

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder()

/** Zero-terminated text. */
export const string: Codec<string> = {
  name: "string",
  size: (value) => utf8.encode(value).length + 1,
  write: (out, offset, value) => {
    putBytes(out, offset, utf8.encode(value))
  },
  read: (from) => {
    const end = from.bytes.indexOf(0)
    return fromUtf8.decode(end < 0 ? from.bytes : from.bytes.subarray(0, end))
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

/** Names for numbers. A number without a name reads as itself, so a newer kernel never breaks a dump. */
export function oneOf<const N extends Readonly<Record<string, number>>>(base: Codec<number>, names: N): Codec<keyof N | number> {
  const byNumber = new Map<number, keyof N>(Object.entries(names).map(([name, value]) => [value, name]))
  const toNumber = (value: keyof N | number): number => (typeof value === "number" ? value : (names[value] as number))
  return {
    name: `oneOf(${base.name})`,
    size: (value, enclosing) => base.size(toNumber(value), enclosing),
    write: (out, offset, value, enclosing) => base.write(out, offset, toNumber(value), enclosing),
    read: (from, enclosing) => {
      const value = base.read(from, enclosing)
      return byNumber.get(value) ?? value
    },
  }
}

function putBytes(out: DataView, offset: number, bytes: Uint8Array): void {
  new Uint8Array(out.buffer, out.byteOffset + offset, bytes.length).set(bytes)
}

// ── Fixed headers ───────────────────────────────────────────────────────────────────────────────────────────────────

type StructFields = Readonly<Record<string, Codec<number>>>
type StructValue<F extends StructFields> = { readonly [K in keyof F]: number }

export interface StructCodec<F extends StructFields> {
  readonly name: string
  readonly bytes: number
  write(out: DataView, offset: number, value: Partial<StructValue<F>>): void
  read(from: Window): StructValue<F>
}

/** A C struct of numbers, in order; `pad` fields are written like others and default to zero. The end is aligned to four. */
export function struct<const F extends StructFields>(name: string, fields: F): StructCodec<F> {
  const layout: { key: string; codec: Codec<number>; at: number }[] = []
  let bytes = 0
  for (const [key, codec] of Object.entries(fields)) {
    layout.push({ key, codec, at: bytes })
    bytes += codec.size(0, undefined)
  }
  bytes = align4(bytes)
  return {
    name,
    bytes,
    write: (out, offset, value) => {
      for (const { key, codec, at } of layout) {
        codec.write(out, offset + at, value[key as keyof F] ?? 0, undefined)
      }
    },
    read: (from) => {
      from.need(bytes, name)
      const value: Record<string, number> = {}
      for (const { key, codec, at } of layout) {
        value[key] = codec.read(from.sub(at, bytes, key), undefined)
      }
      return value as StructValue<F>
    },
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

export interface UnknownAttr {
  readonly type: number
  readonly payload: Uint8Array
}

// biome-ignore lint/suspicious/noExplicitAny: the table's columns have different value types; Infer<> gives each back.
type AttrTable = Readonly<Record<string, Attr<any>>>
type AttrValues<A extends AttrTable> = {
  readonly [K in keyof A]?: A[K] extends Attr<infer T> ? T : never
} & { readonly unknown?: readonly UnknownAttr[] }

/** A set of attributes; as a codec its payload is those attributes one after another. */
export function attributeSet<const A extends AttrTable>(name: string, table: A): Codec<AttrValues<A>> {
  const byType = new Map<number, { key: string; codec: Codec<unknown> }>()
  for (const [key, { type, codec }] of Object.entries(table)) {
    byType.set(type, { key, codec })
  }
  const present = function* (values: AttrValues<A>): Generator<{ type: number; codec: Codec<unknown>; value: unknown }> {
    for (const [key, { type, codec }] of Object.entries(table)) {
      const value = values[key]
      if (value === undefined) {
        continue
      }
      if (codec.repeated === true) {
        for (const member of value as unknown[]) {
          yield { type, codec, value: [member] }
        }
      } else {
        yield { type, codec, value }
      }
    }
  }
  return {
    name,
    nested: true,
    size: (values) => {
      let total = 0
      for (const { codec, value } of present(values)) {
        total += NLA_HEADER + align4(codec.size(value, values))
      }
      return total
    },
    write: (out, start, values) => {
      let offset = start
      for (const { type, codec, value } of present(values)) {
        const size = codec.size(value, values)
        u16.write(out, offset, NLA_HEADER + size, undefined)
        u16.write(out, offset + 2, codec.nested === true ? type | NLA_F_NESTED : type, undefined)
        codec.write(out, offset + NLA_HEADER, value, values)
        offset += NLA_HEADER + align4(size)
      }
    },
    read: (from) => {
      const values: Record<string, unknown> = {}
      for (const { type, payload } of attributesOf(from)) {
        const known = byType.get(type)
        if (known === undefined) {
          const unknown = (values["unknown"] ??= []) as UnknownAttr[]
          unknown.push({ type, payload: payload.bytes.slice() })
          continue
        }
        const named = new Window(payload.bytes, `${from.path}.${known.key}`, payload.offset)
        const value = known.codec.read(named, values)
        const before = values[known.key]
        values[known.key] = known.codec.repeated === true && before !== undefined ? [...(before as unknown[]), ...(value as unknown[])] : value
      }
      return values as AttrValues<A>
    },
  }
}

function* attributesOf(from: Window): Generator<{ type: number; payload: Window }> {
  let offset = 0
  while (offset + NLA_HEADER <= from.length) {
    const header = from.sub(offset, from.length, `@${offset}`)
    const view = header.need(NLA_HEADER, "nlattr")
    const length = view.getUint16(0, HOST_ORDER_IS_LITTLE)
    const type = view.getUint16(2, HOST_ORDER_IS_LITTLE) & NLA_TYPE_MASK
    if (length < NLA_HEADER || length > header.length) {
      header.fail(`attribute ${type} claims ${length} bytes of ${header.length}`)
    }
    yield { type, payload: from.sub(offset + NLA_HEADER, offset + length, `#${type}`) }
    offset += align4(length)
  }
}

/** Attributes behind a fixed header (VETH_INFO_PEER); the header's values stand under `header`. */
export function headed<F extends StructFields, T>(header: StructCodec<F>, set: Codec<T>): Codec<{ readonly header?: Partial<StructValue<F>>; readonly attrs: T }> {
  return {
    name: `${header.name}+${set.name}`,
    nested: true,
    size: (value, enclosing) => header.bytes + set.size(value.attrs, enclosing),
    write: (out, offset, value, enclosing) => {
      header.write(out, offset, value.header ?? {})
      set.write(out, offset + header.bytes, value.attrs, enclosing)
    },
    read: (from, enclosing) => {
      from.need(header.bytes, header.name)
      return { header: header.read(from), attrs: set.read(from.sub(header.bytes, from.length, set.name), enclosing) }
    },
  }
}

/** An attribute that may stand several times. */
export function multi<T>(codec: Codec<T>): Codec<readonly T[]> {
  return {
    name: `multi(${codec.name})`,
    ...(codec.nested === undefined ? {} : { nested: codec.nested }),
    repeated: true,
    size: (value, enclosing) => codec.size(value[0] as T, enclosing),
    write: (out, offset, value, enclosing) => codec.write(out, offset, value[0] as T, enclosing),
    read: (from, enclosing) => [codec.read(from, enclosing)],
  }
}

type Selected<C extends Readonly<Record<string, unknown>>> = { [K in keyof C]: Infer<C[K]> }[keyof C]

/**
 * A payload whose set is chosen by a sibling attribute that stands before it (IFLA_INFO_DATA by IFLA_INFO_KIND; the
 * kernel always dumps them in that order). A kind without a set reads as `{}`.
 */
// biome-ignore lint/suspicious/noExplicitAny: each kind has its own value type, given back by Selected<>.
export function selectBy<const C extends Readonly<Record<string, Codec<any>>>>(sibling: string, codecs: C): Codec<Selected<C>> {
  const choose = (enclosing: unknown): Codec<Selected<C>> | undefined => {
    const kind = (enclosing as Record<string, unknown>)[sibling]
    return typeof kind === "string" && Object.hasOwn(codecs, kind) ? codecs[kind] : undefined
  }
  return {
    name: `selectBy(${sibling})`,
    nested: true,
    size: (value, enclosing) => choose(enclosing)?.size(value, enclosing) ?? 0,
    write: (out, offset, value, enclosing) => choose(enclosing)?.write(out, offset, value, enclosing),
    read: (from, enclosing) => choose(enclosing)?.read(from, enclosing) ?? ({} as Selected<C>),
  }
}
