// Ethernet addresses as canonical strings, "02:42:ac:11:00:02".

declare const macBrand: unique symbol

export type Mac = string & { readonly [macBrand]: true }

/** Reads a MAC with colons, or with dashes; `undefined` for anything else. */
export function parseMac(text: string): Mac | undefined {
  return /^[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}$/i.test(text)
    ? (text.toLowerCase().replaceAll("-", ":") as Mac)
    : undefined
}

export function macBytes(mac: Mac): Uint8Array {
  return Uint8Array.from(mac.split(":"), (byte) => Number.parseInt(byte, 16))
}

/** @param bytes exactly six. */
export function macFromBytes(bytes: Uint8Array): Mac {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":") as Mac
}

/** The group bit of the first byte (IEEE 802-2014 §8.2.2). */
export function isMulticastMac(mac: Mac): boolean {
  return ((macBytes(mac)[0] ?? 0) & 1) === 1
}

/** Sets the locally-administered bit and clears the group bit: an address nobody's hardware has. */
export function locallyAdministered(bytes: Uint8Array): Mac {
  const local = Uint8Array.from(bytes.subarray(0, 6))
  local[0] = ((local[0] ?? 0) & 0xfc) | 2
  return macFromBytes(local)
}
