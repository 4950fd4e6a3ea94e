// IPv4 as text: four decimal numbers without leading zeros, since inet_aton(3) would read those as octal.

const BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
const DOTTED = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`)

/** The 32-bit number; `undefined` when the text is no address. The one spelling of an address is canonical. */
export function parseIp4(text: string): number | undefined {
  return DOTTED.test(text) ? text.split(".").reduce((number, byte) => number * 256 + Number(byte), 0) : undefined
}

export function formatIp4(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join(".")
}
