// How texts of a request are read: references, versions, filters, times, bodies.

import { describe, expect, test } from "bun:test"
import { childField, rootField } from "#model/field.ts"
import { isAtLeast, requestedVersion } from "./api-version.ts"
import { readFields } from "./body.ts"
import { hasLabels, passes, readFilters, readSwitch } from "./filters.ts"
import { dockerId, oneContainer, oneNetwork, referred } from "./identity.ts"
import { createRequest, keptOf, readCreateBody } from "./network-request.ts"
import { readInstant } from "./time.ts"

describe("a reference", () => {
  const ALL = [
    { id: "abc000000001", name: "web" },
    { id: "abc000000002", name: "abc" },
    { id: "def000000003", name: "abc000000001" },
  ]
  const cases: readonly { name: string; in: string; want: readonly string[] }[] = [
    { name: "is a whole id", in: dockerId("abc000000002"), want: ["abc000000002"] },
    { name: "is an id before a name", in: "abc000000001", want: ["abc000000001"] },
    { name: "is a name before the beginning of an id", in: "abc", want: ["abc000000002"] },
    { name: "is the beginning of one id", in: "d", want: ["def000000003"] },
    { name: "is the beginning of several", in: "abc0", want: ["abc000000001", "abc000000002"] },
    { name: "is the beginning with zeros", in: "def0000000030000", want: ["def000000003"] },
    { name: "is nothing", in: "we", want: [] },
    { name: "is no pattern", in: ".*", want: [] },
  ]
  test.each(cases)("$name", ({ in: reference, want }) => {
    expect(referred(ALL, reference).map(({ id }) => id)).toEqual([...want])
  })

  test("that means several or nothing is refused", () => {
    expect(() => oneNetwork(ALL, "abc0")).toThrow("network abc0 is ambiguous (2 matches found based on ID prefix)")
    expect(() => oneNetwork(ALL, "x")).toThrow("network x not found")
    expect(() => oneContainer(ALL, "abc0")).toThrow("multiple IDs found with provided prefix: abc0")
    expect(oneContainer(ALL, "/web").id).toBe("abc000000001")
  })
})

test("requestedVersion() takes what lies between the oldest and the newest, part by part", () => {
  expect(requestedVersion("1.24")).toEqual({ major: 1, minor: 24 })
  expect(isAtLeast(requestedVersion(undefined), 52)).toBeTrue()
  expect(isAtLeast(requestedVersion("1.50"), 52)).toBeFalse()
  for (const text of ["1.9", "1.23", "0.99", "1", "1.2.3", "1.", "x"]) {
    expect(() => requestedVersion(text)).toThrow(/too old/)
  }
  for (const text of ["1.53", "1.100", "2.0"]) {
    expect(() => requestedVersion(text)).toThrow(/too new/)
  }
})

describe("filters", () => {
  const read = (text: string) => readFilters(new URLSearchParams({ filters: text }), ["label", "name", "dangling"])

  test("in both ways of writing them", () => {
    for (const text of ['{"name":{"a":true,"b":true}}', '{"name":["a","b"]}']) {
      const filters = read(text)
      expect(passes(filters, "name", (value) => value === "b")).toBeTrue()
      expect(passes(filters, "name", (value) => value === "c")).toBeFalse()
      expect(passes(filters, "label", () => false)).toBeTrue()
    }
    expect(read("").size).toBe(0)
  })

  test("labels must all be there, with their values where these are named", () => {
    const labels = { a: "1", "b=c": "2", d: "x=y" }
    expect(hasLabels(read('{"label":["a"]}'), labels)).toBeTrue()
    expect(hasLabels(read('{"label":["a=1","d=x=y"]}'), labels)).toBeTrue()
    expect(hasLabels(read('{"label":["a=2"]}'), labels)).toBeFalse()
    expect(hasLabels(read('{"label":["a","e"]}'), labels)).toBeFalse()
    expect(hasLabels(read('{"label":["toString"]}'), labels)).toBeFalse()
  })

  test("a switch is on or off", () => {
    expect(readSwitch(read("{}"), "dangling")).toBeUndefined()
    expect(readSwitch(read('{"dangling":["1"]}'), "dangling")).toBeTrue()
    expect(readSwitch(read('{"dangling":{"false":true}}'), "dangling")).toBeFalse()
    expect(() => readSwitch(read('{"dangling":["true","false"]}'), "dangling")).toThrow(/invalid filter 'dangling/)
  })
})

describe("readInstant()", () => {
  const cases: readonly { in: string; want: string | RegExp }[] = [
    { in: "1795476154", want: "2026-11-23T23:22:34.000Z" },
    { in: "1795476154.490627640", want: "2026-11-23T23:22:34.490Z" },
    { in: "2026-11-23T23:22:34Z", want: "2026-11-23T23:22:34.000Z" },
    { in: "2026-11-24T01:22:34.5+02:00", want: "2026-11-23T23:22:34.500Z" },
    { in: "yesterday", want: /^invalid until "yesterday"/ },
    { in: "", want: /^invalid until/ },
    { in: "5", want: "1970-01-01T00:00:05.000Z" },
    { in: "1h30", want: /^invalid until/ },
  ]
  test.each(cases)("$in", ({ in: text, want }) => {
    if (typeof want === "string") {
      expect(readInstant("until", text).toISOString()).toBe(want)
    } else {
      expect(() => readInstant("until", text)).toThrow(want)
    }
  })

  test("how long ago", () => {
    const before = Date.now()
    const instant = readInstant("until", "1h30m0.5s").getTime()
    expect(instant).toBeGreaterThanOrEqual(before - 5_400_500)
    expect(instant).toBeLessThanOrEqual(Date.now() - 5_400_500)
  })
})

describe("a body", () => {
  test("has its fields in any case, null as absent, and more than anybody knows", () => {
    const root = rootField({ name: "x", NAME: "y", Driver: null, Other: 1 })
    const fields = readFields(root, ["Name", "Driver"])
    expect([fields?.Name.value, fields?.Driver.value]).toEqual(["y", undefined])
    expect(root.issues).toEqual([])
    expect(readFields(childField(root, "Sub", [1]), ["Name"])).toBeUndefined()
    expect(root.issues).toHaveLength(1)
  })

  test("becomes a request, and what linkspan has no use for is kept", () => {
    const root = rootField({
      Name: "web",
      Driver: "linkspan",
      CheckDuplicate: true,
      Attachable: true,
      IPAM: {
        Driver: "default",
        Options: { o: "p" },
        Config: [
          {},
          { Subnet: "10.1.0.0/16", IPRange: "10.1.4.7/24", Gateway: "", AuxiliaryAddresses: { x: "10.1.0.9" } },
        ],
      },
      Options: { "com.docker.network.bridge.enable_icc": "0" },
      Labels: { a: "b" },
    })
    const body = readCreateBody(root)
    expect(root.issues).toEqual([])
    const request = createRequest(body as NonNullable<typeof body>)
    expect(request).toMatchObject({
      name: "web",
      driver: "bridge",
      icc: false,
      subnets: [{ prefix: "10.1.0.0/16", range: "10.1.4.0/24", reserved: ["10.1.0.9"] }],
    })
    expect(keptOf(request.labels ?? {})).toEqual({
      driver: "linkspan",
      options: { "com.docker.network.bridge.enable_icc": "0" },
      attachable: true,
      ipamOptions: { o: "p" },
      auxiliary: { x: "10.1.0.9" },
    })
    expect(keptOf({ "docker.create": "not JSON" })).toBeUndefined()
    expect(keptOf({})).toBeUndefined()
  })
})
