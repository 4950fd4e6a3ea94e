// Every number in src/wire against the kernel's headers. Needs the package linux-libc-dev; no root.

import { describe, expect, test } from "bun:test"
import { join } from "node:path"
import { Glob } from "bun"
import {
  type Attr,
  type AttributeSet,
  type AttrTable,
  attr,
  attributeSet,
  oneOf,
  struct,
  u8,
  u16,
  u32,
} from "#wire/schema.ts"
import { compare, type Finding, YOUNG } from "./conformance.ts"
import { HEADERS_PACKAGE, haveHeaders, header, parseHeader } from "./uapi.ts"

const ROOT = join(import.meta.dir, "../../src/wire")

async function everyExport(): Promise<Record<string, unknown>> {
  const exports: Record<string, unknown> = {}
  for (const file of [...new Glob("**/*.ts").scanSync(ROOT)].sort()) {
    // DNS is not the kernel's.
    if (!(file.includes("test") || file.startsWith("dns/"))) {
      for (const [name, value] of Object.entries((await import(join(ROOT, file))) as Record<string, unknown>)) {
        exports[`${name}` in exports && exports[name] !== value ? `${name}@${file}` : name] = value
      }
    }
  }
  return exports
}

function wrong(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ name, ours, theirs }) => ours !== theirs && !(theirs === undefined && YOUNG.has(name)))
}

const withHeaders = haveHeaders() ? describe : describe.skip

withHeaders(
  `src/wire and the kernel's headers${haveHeaders() ? "" : ` [needs the package ${HEADERS_PACKAGE}]`}`,
  () => {
    test("agree on every number", async () => {
      const findings = compare({ exports: await everyExport() })
      expect(wrong(findings)).toEqual([])
      // Whoever breaks the comparison so that it finds nothing to compare shall not get away with it.
      const found = findings.map(({ what }) => what)
      expect(found.length).toBeGreaterThan(250)
      expect(found).toContain("bridge-port.isolated")
      expect(found).toContain("tuple.proto.sourcePort")
      expect(found).toContain("element.keyEnd")
      expect(found).toContain("macvlan.mode.passthru")
      expect(found).toContain("type of IPCTNL_MSG_CT_DELETE")
      expect(found).toContain("size of rtmsg")
      expect(found).toContain("IFA_F_NODAD")
      expect(found).toContain("inet_diag.locals")
    })

    const plant = (changes: (table: AttrTable) => AttrTable): readonly Finding[] => {
      const { table } = attributeSet("bridge", {
        stpState: attr(5, u32),
        priority: attr(6, u16),
      }) as AttributeSet<AttrTable>
      return wrong(compare({ exports: { planted: attributeSet("bridge", changes(table)) } }))
    }

    test("would not agree on a wrong number", () => {
      expect(plant((table) => table)).toEqual([])
      expect(plant((table) => ({ ...table, priority: attr(7, u16) as Attr<number> }))).toEqual([
        { what: "bridge.priority", name: "IFLA_BR_PRIORITY", ours: 7, theirs: 6 },
      ])
    })

    test("would not agree on a name that the kernel does not have", () => {
      expect(plant((table) => ({ ...table, prio: attr(6, u16) as Attr<number> }))).toEqual([
        { what: "bridge.prio", name: "IFLA_BR_PRIO", ours: 6, theirs: undefined },
      ])
    })

    test("would not agree on a wrong name for a number", () => {
      const planted = attributeSet("macvlan", { mode: attr(1, oneOf(u32, { private: 1, vepa: 3 })) })
      expect(wrong(compare({ exports: { planted } }))).toEqual([
        { what: "macvlan.mode.vepa", name: "MACVLAN_MODE_VEPA", ours: 3, theirs: 2 },
      ])
    })

    test("would not agree on a field that is missing", () => {
      const planted = {
        name: "RTM_NEWNEIGH",
        type: 28,
        header: struct("ndmsg", { family: u8, pad1: u8, index: u32, state: u16, flags: u8, type: u8 }),
        attrs: attributeSet("neighbour", {}),
      }
      expect(wrong(compare({ exports: { planted } })).map(({ what }) => what)).toContain("fields of ndmsg")
    })

    test("are not compared by guesses: a table needs a source", () => {
      expect(() => compare({ exports: { planted: attributeSet("new", {}) } })).toThrow('"new"')
    })

    test("the headers are read as a compiler would", () => {
      expect(header("linux/if_link.h").numbers.get("IFLA_LINK_NETNSID")).toBe(37)
      expect(header("linux/rtnetlink.h").structs.get("ifinfomsg")).toEqual({ fields: [1, 1, 2, 4, 4, 4], bytes: 16 })
    })
  },
)

test("parseHeader() reads enums, defines and structs", () => {
  const { numbers, structs } = parseHeader(`
    enum { A_UNSPEC, A_ONE, /* two, */ A_TWO = 5,
    #define A_TWO A_TWO
      A_THREE, __A_MAX };
    #define A_MAX (__A_MAX - 1)
    #define B_FLAG (1 << 4)
    #define B_BOTH (B_FLAG|0x1U)
    #define B_TEXT "text"
    enum b { B_ALL = 0xFFFFFFFF };
    struct s { __u8 a; __be16 b; __u32 c[2]; unsigned char d; };
    struct t { __u8 a; struct s s; __u8 b; };
  `)
  expect(Object.fromEntries(numbers)).toEqual({
    A_UNSPEC: 0,
    A_ONE: 1,
    A_TWO: 5,
    A_THREE: 6,
    __A_MAX: 7,
    A_MAX: 6,
    B_FLAG: 16,
    B_BOTH: 17,
    B_ALL: 0xffffffff,
  })
  expect(Object.fromEntries(structs)).toEqual({
    s: { fields: [1, 2, 4, 4, 1], bytes: 16 },
    t: { fields: [1] },
  })
})
