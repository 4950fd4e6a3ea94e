import { expect, test } from "bun:test"
import { entryLine, headerLine, isEntryName, withEntry, withoutEntry, withServers } from "./aardvark-file.ts"

const ENTRY = { containerId: "aa", addresses: ["10.89.0.6"], names: ["one", "aa1"], servers: [] }

test("lines are as aardvark-dns reads them, with empty fields", () => {
  expect(headerLine(["10.89.0.1", "fd00::1"], ["9.9.9.9"])).toBe("10.89.0.1,fd00::1 9.9.9.9\n")
  expect(entryLine(ENTRY)).toBe("aa 10.89.0.6  one,aa1\n")
  expect(entryLine({ ...ENTRY, addresses: ["fd00::2", "10.0.0.2"], servers: ["1.1.1.1", "8.8.8.8"] })).toBe(
    "aa 10.0.0.2 fd00::2 one,aa1 1.1.1.1,8.8.8.8\n",
  )
})

test("entries come, change and go, and the file with the last of them", () => {
  const one = withEntry(undefined, "10.89.0.1\n", ENTRY)
  expect(one).toBe("10.89.0.1\naa 10.89.0.6  one,aa1\n")
  // An id that begins like another is another.
  const two = withEntry(one, "ignored\n", { ...ENTRY, containerId: "aab", addresses: ["10.89.0.7"] })
  expect(two).toBe("10.89.0.1\naa 10.89.0.6  one,aa1\naab 10.89.0.7  one,aa1\n")
  expect(withEntry(two, "", { ...ENTRY, addresses: ["10.89.0.9"] })).toBe(
    "10.89.0.1\naab 10.89.0.7  one,aa1\naa 10.89.0.9  one,aa1\n",
  )
  expect(withoutEntry(two, "aa")).toBe("10.89.0.1\naab 10.89.0.7  one,aa1\n")
  expect(withoutEntry(one, "aa")).toBeUndefined()
  expect(withServers(two, ["1.1.1.1"])).toStartWith("10.89.0.1 1.1.1.1\naa ")
  expect(withServers(withServers(two, ["1.1.1.1"]), [])).toBe(two)
})

test("isEntryName() refuses what would break the line", () => {
  expect(["a", "", "a b", "a,b", "a\nb", "my_name.x"].filter(isEntryName)).toEqual(["a", "my_name.x"])
})
