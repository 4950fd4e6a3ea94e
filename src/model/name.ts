// Names that users give and ids that linkspan makes. A valid name can stand in a path, an nft string and a DNS label
// sequence without escaping, so nothing further down has to escape it.

declare const ifnameBrand: unique symbol
/** An interface name: 1–15 bytes, no slash, colon or blank (dev_valid_name() in net/core/dev.c). */
export type Ifname = string & { readonly [ifnameBrand]: true }

/** Twelve hexadecimal digits. */
export type Id = string

export function isName(text: string): boolean {
  return text.length <= 63 && /^[a-zA-Z0-9][a-zA-Z0-9_-]*(\.[a-zA-Z0-9_-]+)*$/.test(text)
}

export const NAME_RULE =
  "1 to 63 letters, digits, '_', '.' or '-', beginning with a letter or digit, with no dot at the end or beside another"

export function isId(text: string): text is Id {
  return /^[0-9a-f]{12}$/.test(text)
}

export function parseIfname(text: string): Ifname | undefined {
  // Narrower than the kernel: the characters here need no quoting in nft, sysctl paths or a shell.
  return /^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,14}$/.test(text) && text !== "all" && text !== "default"
    ? (text as Ifname)
    : undefined
}

export const IFNAME_RULE = "1 to 15 letters, digits, '_', '.' or '-'"

/** RFC 1123 §2.1 host name. */
export function isHostname(text: string): boolean {
  return (
    text.length <= 63 &&
    /^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*$/.test(text)
  )
}

/** Label keys: printable, without "=" or blanks. */
export function isLabelKey(text: string): boolean {
  return /^[!-<>-~]{1,255}$/.test(text)
}
