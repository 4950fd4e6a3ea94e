// Numbers and times as people say them.

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const

/** Powers of a thousand, as networks count: 1234567 is "1.2 MB". */
export function bytes(count: number): string {
  let value = count
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1
  return `${value.toFixed(digits)} ${UNITS[unit]}`
}

/** "3 packets", "1 packet". */
export function count(number: number | string, noun: string): string {
  return `${group(String(number))} ${noun}${String(number) === "1" ? "" : "s"}`
}

/** Thousands apart; counts that fill a subnet of IPv6 as a power of two's neighbourhood. */
export function group(digits: string): string {
  if (digits.length > 15) {
    return `about 2^${Math.round(Math.log2(Number(digits)))}`
  }
  return digits.replace(/\B(?=([0-9]{3})+$)/g, ",")
}

const SPANS = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
] as const

/** "2 hours ago"; the seconds of the first minute are "just now". */
export function ago(thenIso: string, nowMs: number): string {
  const seconds = (nowMs - Date.parse(thenIso)) / 1000
  if (Number.isNaN(seconds)) {
    return thenIso
  }
  for (const [unit, length] of SPANS) {
    const number = Math.floor(seconds / length)
    if (number >= 1) {
      return `${count(number, unit)} ago`
    }
  }
  return "just now"
}
