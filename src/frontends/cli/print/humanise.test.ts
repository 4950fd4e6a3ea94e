import { expect, test } from "bun:test"
import { ago, bytes, count, group } from "./humanise.ts"

test("bytes() counts in thousands", () => {
  const table = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [1_234_567, "1.2 MB"],
    [99_949, "99.9 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [5e15, "5.0 PB"],
    [5e19, "50000 PB"],
  ] as const
  for (const [number, want] of table) {
    expect(bytes(number)).toBe(want)
  }
})

test("count() and group() part thousands, and say what no one can read as a power of two", () => {
  expect(count(1, "packet")).toBe("1 packet")
  expect(count(1234, "packet")).toBe("1,234 packets")
  expect(group("18446744073709551614")).toBe("about 2^64")
  expect(group("252")).toBe("252")
})

test("ago() takes the largest whole unit", () => {
  const now = Date.parse("2026-01-03T00:00:00Z")
  expect(ago("2026-01-02T23:59:30Z", now)).toBe("just now")
  expect(ago("2026-01-02T23:58:30Z", now)).toBe("1 minute ago")
  expect(ago("2026-01-02T20:58:30Z", now)).toBe("3 hours ago")
  expect(ago("2026-01-01T00:00:00Z", now)).toBe("2 days ago")
  expect(ago("nonsense", now)).toBe("nonsense")
})
