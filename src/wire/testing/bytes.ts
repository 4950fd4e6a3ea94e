// Bytes as tests spell them: hexadecimal, an attribute a line, with a comment behind "#".

import type { Codec } from "../schema.ts"
import { Window } from "../window.ts"

export function hex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(text.replaceAll(/#.*$/gm, "").replaceAll(/\s/g, ""))
}

export function encode<T>(codec: Codec<T>, value: T): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(codec.size(value, {}))
  codec.write(new DataView(bytes.buffer), 0, value, {})
  return bytes
}

export function decode<T>(codec: Codec<T>, bytes: Uint8Array, enclosing: unknown = {}): T {
  return codec.read(Window.of(bytes, codec.name), enclosing)
}
