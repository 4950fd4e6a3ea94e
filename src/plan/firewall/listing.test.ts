import { describe, expect, test } from "bun:test"
import { rulesFingerprint } from "./fingerprint.ts"
import { parseListing } from "./listing.ts"
import { renderElement } from "./render.ts"
import { baseRuleset } from "./ruleset.ts"

// Captured from nft 1.0.6 (`nft list ruleset`, the second half `nft -n`), shortened; elements of one set are broken
// into lines of their own when there are several.
const LISTING = `table ip nat {
	map published4 {
		type inet_proto . inet_service : ipv4_addr . inet_service
		elements = { tcp . 1 : 10.0.0.9 . 9 }
	}
}
table inet linkspan {
	counter refused {
		packets 12 bytes 720
	}

	set bridges {
		type ifname
		elements = { "br-web",
			     "br-db" }
	}

	map leaving {
		type ifname : verdict
		elements = { "br-web" : goto leave, "br-db" : drop }
	}

	map published4 {
		type inet_proto . inet_service : ipv4_addr . inet_service
		elements = { 6 . 8080 : 10.89.0.2 . 80,
			     udp . 53 : 10.89.0.2 . 5353 counter packets 3 bytes 180 }
	}

	map published6_at {
		type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service
		elements = { ::1 . 132 . 80 : fd00:89::2 . 80 comment "a, b } { c" }
	}

	set masquerade4 {
		type ipv4_addr
		flags interval
		elements = { 10.89.0.0/24, 10.90.0.7,
			     10.91.0.0-10.91.0.9 timeout 1h expires 59m59s996ms }
	}

	set masquerade6 {
		type ipv6_addr
		flags interval
	}

	chain forward {
		type filter hook forward priority filter - 10; policy accept;
		meta l4proto { tcp, udp, sctp } accept
	}
}
table bridge linkspan {
	set advertised6 {
		typeof iifname . ether saddr . @th,64,128
		elements = { "veth1" . 02:00:00:00:00:02 . 0xfd000089000000000000000000000002 }
	}

	set theirs {
		type ifname
		elements = { "lo" }
	}
}
`

describe("parseListing()", () => {
  test("reads the elements of linkspan's tables, each in its canonical spelling", () => {
    expect(parseListing(LISTING)).toEqual([
      { table: "inet", set: "bridges", key: '"br-web"' },
      { table: "inet", set: "bridges", key: '"br-db"' },
      { table: "inet", set: "leaving", key: '"br-web"', value: "goto leave" },
      { table: "inet", set: "leaving", key: '"br-db"', value: "drop" },
      { table: "inet", set: "published4", key: "tcp . 8080", value: "10.89.0.2 . 80" },
      { table: "inet", set: "published4", key: "udp . 53", value: "10.89.0.2 . 5353" },
      { table: "inet", set: "published6_at", key: "::1 . sctp . 80", value: "fd00:89::2 . 80" },
      { table: "inet", set: "masquerade4", key: "10.89.0.0/24" },
      { table: "inet", set: "masquerade4", key: "10.90.0.7" },
      { table: "inet", set: "masquerade4", key: "10.91.0.0-10.91.0.9" },
      { table: "bridge", set: "advertised6", key: '"veth1" . 02:00:00:00:00:02 . 0xfd000089000000000000000000000002' },
      { table: "bridge", set: "theirs", key: '"lo"' },
    ])
  })

  test("reads as many elements as a host may have", () => {
    const ports = Array.from({ length: 30_000 }, (_, i) => `tcp . ${i + 1} : 10.89.0.2 . ${i + 1}`)
    const listing = `table inet linkspan {\n\tmap published4 {\n\t\telements = { ${ports.join(",\n\t\t\t     ")} }\n\t}\n}\n`
    expect(parseListing(listing).map(renderElement)).toEqual(ports)
  })

  test("finds nothing in the rules themselves, nor in no text", () => {
    expect(parseListing(baseRuleset())).toEqual([])
    expect(parseListing("")).toEqual([])
  })
})

describe("rulesFingerprint()", () => {
  test("leaves out elements, counters, handles, comments and layout", () => {
    const other = LISTING.replace(/\t\telements = \{(?:"[^"]*"|[^"}])*\}\n/g, "")
      .replace("packets 12 bytes 720", "packets 0 bytes 0")
      .replace("chain forward {", "chain forward { # handle 7")
      .replace("policy accept;\n", "policy accept; # handle 8\n")
      .replace("\t\ttype ipv4_addr\n", "\t\ttype ipv4_addr\t# count 3\n")
      .replace(/^\t\t/gm, "    ")
    expect(rulesFingerprint(other)).toBe(rulesFingerprint(LISTING))
  })

  test("changes with a rule, a policy, a set's type and a missing table", () => {
    const base = rulesFingerprint(baseRuleset())
    for (const [from, to] of [
      ["ct status dnat accept", "accept"],
      ["policy accept", "policy drop"],
      ["type ifname . ether_addr\n", "type ifname . ipv4_addr\n"],
      ["\tset macs", "\tset apples"],
      ["table bridge linkspan {", "table bridge other {"],
    ] as const) {
      expect(baseRuleset()).toContain(from)
      expect(rulesFingerprint(baseRuleset().replace(from, to))).not.toBe(base)
    }
    expect(rulesFingerprint("")).not.toBe(base)
  })
})
