// What `linkspan explain` says of faults that other tools planted, and that it says nothing where there is none. The
// faults are planted in one host, one after the other, and mended by the same tools.
// time limit: 300 s

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { Host } from "../host.ts"
import { INSIDE, OUTSIDE, PUBLISHED, Scene } from "./explain-scene.ts"

let host: Host
let scene: Scene
/** Addresses, ports and bridges of the scene, which linkspan chose. */
let at: {
  readonly a4: string
  readonly b4: string
  readonly b6: string
  readonly portA: string
  readonly portB: string
  readonly bridge: string
  readonly gateway4: string
  readonly gateway6: string
}

beforeAll(async () => {
  host = await Host.create()
  scene = await Scene.set(host)
  const { a, b } = scene
  const bridge = (await host.link(await scene.port(b)))?.master ?? ""
  const gateway = async (family: "-4" | "-6"): Promise<string> =>
    (await a.ip([family, "route", "show", "default"]))[0]?.gateway ?? ""
  at = {
    a4: await scene.address(a, 4),
    b4: await scene.address(b, 4),
    b6: await scene.address(b, 6),
    portA: await scene.port(a),
    portB: await scene.port(b),
    bridge,
    gateway4: await gateway("-4"),
    gateway6: await gateway("-6"),
  }
}, 60_000)

afterAll(async () => {
  await scene.clear()
  await host[Symbol.asyncDispose]()
}, 60_000)

const TO_B = `b:${INSIDE}`

describe("healthy pairs", () => {
  test.each([
    ["a", TO_B],
    ["b", `a:${INSIDE}`],
    ["host", `a:${INSIDE}`],
    ["host", `c:${INSIDE}`],
    ["c", `host:${PUBLISHED}`],
    ["a", `host:${PUBLISHED}`],
    ["b", `host:${PUBLISHED}`],
    ["outside", `host:${PUBLISHED}`],
    ["a", `outside:${OUTSIDE}`],
    ["c", "internet"],
    ["a", "host"],
    ["host", "outside"],
  ])("%s to %s, over IPv4 and IPv6", async (from, to) => {
    expect(await scene.explain("-4", from, to)).toMatchObject({ reachable: true, findings: [], status: 0 })
    expect(await scene.explain("-6", from, to)).toMatchObject({ reachable: true, findings: [], status: 0 })
  })

  test("the host's own loopback", async () => {
    expect(await scene.cause("host", `127.0.0.1:${PUBLISHED}`)).toBeUndefined()
    expect(await scene.cause("host", `[::1]:${PUBLISHED}`)).toBeUndefined()
  })

  test("what it calls reachable is reached, by its own route", async () => {
    const { hops } = await scene.explain("a", TO_B)
    expect(await scene.a.connect(at.b4, INSIDE)).toMatchObject({ ok: true, seenAs: at.a4 })
    expect(hops.map(({ place }) => place)).toEqual([
      "b",
      "container a",
      "a:eth0",
      at.portA,
      at.bridge,
      at.portB,
      "b:eth0",
      "container b",
    ])
  })
})

/** Plants, asks, and mends whatever comes of it. */
async function expectCause(
  plant: () => Promise<unknown>,
  mend: () => Promise<unknown>,
  questions: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  await plant()
  const found: Record<string, string | undefined> = {}
  try {
    for (const question of Object.keys(questions)) {
      found[question] = await scene.cause(...question.split(" "))
    }
  } finally {
    await mend()
  }
  expect(found).toEqual(questions)
}

describe("links", () => {
  test("an interface in a container is down", async () => {
    await expectCause(
      () => scene.b.ip(["link", "set", "eth0", "down"]),
      async () => {
        await host.cli(["reconcile"])
        await scene.b.ip(["link", "set", "eth0", "up"])
        await host.cli(["reconcile"])
      },
      { [`a ${TO_B}`]: "link-down", [`outside host:${PUBLISHED}`]: "link-down" },
    )
  })

  test("the host's end of a cable is down", async () => {
    await expectCause(
      () => host.ip(["link", "set", at.portA, "down"]),
      () => host.ip(["link", "set", at.portA, "up"]),
      { [`a ${TO_B}`]: "link-down", [`-6 a ${TO_B}`]: "link-down", [`b a:${INSIDE}`]: "link-down" },
    )
  })

  test("a cable was pulled from its bridge", async () => {
    await expectCause(
      () => host.ip(["link", "set", at.portB, "nomaster"]),
      () => host.cli(["reconcile"]),
      { [`a ${TO_B}`]: "not-plugged", [`-6 a ${TO_B}`]: "not-plugged", "b internet": "not-plugged" },
    )
  })

  test("two bridge ports are isolated", async () => {
    const set = async (value: string): Promise<void> => {
      for (const port of [at.portA, at.portB]) {
        await host.exec(["bridge", "link", "set", "dev", port, "isolated", value])
      }
    }
    await expectCause(
      () => set("on"),
      () => set("off"),
      { [`a ${TO_B}`]: "port-isolated", [`-6 a ${TO_B}`]: "port-isolated", "a internet": undefined },
    )
  })

  test("a link takes less than the sender believes", async () => {
    await expectCause(
      () => host.ip(["link", "set", at.portB, "mtu", "1400"]),
      () => host.ip(["link", "set", at.portB, "mtu", "1500"]),
      { [`a ${TO_B}`]: "mtu", [`-6 a ${TO_B}`]: "mtu" },
    )
  })
})

describe("addresses and routes", () => {
  test("no route", async () => {
    await expectCause(
      async () => {
        await scene.a.ip(["route", "del", "default"])
        await scene.a.ip(["-6", "route", "del", "default"])
      },
      async () => {
        await scene.a.ip(["route", "add", "default", "via", at.gateway4, "dev", "eth0"])
        await scene.a.ip(["-6", "route", "add", "default", "via", at.gateway6, "dev", "eth0"])
      },
      { "-4 a internet": "no-route", "-6 a internet": "no-route", [`a ${TO_B}`]: undefined },
    )
  })

  test("a gateway that nobody is", async () => {
    const via = async (gateway4: string, gateway6: string): Promise<void> => {
      await scene.a.ip(["route", "replace", "default", "via", gateway4, "dev", "eth0"])
      await scene.a.ip(["-6", "route", "del", "default"])
      await scene.a.ip(["-6", "route", "add", "default", "via", gateway6, "dev", "eth0"])
    }
    await expectCause(
      () => via(at.gateway4.replace(/\.1$/, ".99"), at.gateway6.replace(/::1$/, "::99")),
      () => via(at.gateway4, at.gateway6),
      { "-4 a internet": "wrong-gateway", "-6 a internet": "wrong-gateway", [`a ${TO_B}`]: undefined },
    )
  })

  test("the answer has no way back", async () => {
    await expectCause(
      () => scene.b.ip(["route", "del", "default"]),
      () => scene.b.ip(["route", "add", "default", "via", at.gateway4, "dev", "eth0"]),
      { [`outside host:${PUBLISHED}`]: "no-route" },
    )
  })

  test("the host does not forward", async () => {
    await expectCause(
      async () => {
        await host.setSysctl("net.ipv4.ip_forward", 0)
        await host.setSysctl("net.ipv6.conf.all.forwarding", 0)
      },
      () => host.cli(["reconcile"]),
      { "-4 a internet": "forwarding-off", "-6 a internet": "forwarding-off", [`a ${TO_B}`]: undefined },
    )
  })

  test("strict reverse path filter", async () => {
    await expectCause(
      async () => {
        await host.setSysctl(`net/ipv4/conf/${at.bridge}/rp_filter`, 1)
        await host.ip(["route", "add", `${at.a4}/32`, "dev", "uplink"])
      },
      async () => {
        await host.ip(["route", "del", `${at.a4}/32`, "dev", "uplink"])
        await host.setSysctl(`net/ipv4/conf/${at.bridge}/rp_filter`, 0)
      },
      { "-4 a internet": "rp-filter" },
    )
  })

  test("the bridge has a container's address", async () => {
    await expectCause(
      async () => {
        await host.ip(["address", "add", `${at.b4}/32`, "dev", at.bridge])
        await host.ip(["-6", "address", "add", `${at.b6}/128`, "dev", at.bridge, "nodad"])
      },
      async () => {
        await host.ip(["address", "del", `${at.b4}/32`, "dev", at.bridge])
        await host.ip(["-6", "address", "del", `${at.b6}/128`, "dev", at.bridge])
      },
      {
        [`-4 a ${TO_B}`]: "duplicate-address",
        [`-6 a ${TO_B}`]: "duplicate-address",
        [`host ${TO_B}`]: "duplicate-address",
      },
    )
  })

  test("the sender has the address itself", async () => {
    await expectCause(
      () => scene.a.ip(["address", "add", `${at.b4}/32`, "dev", "eth0"]),
      () => scene.a.ip(["address", "del", `${at.b4}/32`, "dev", "eth0"]),
      { [`a ${TO_B}`]: "duplicate-address" },
    )
  })

  test("a stale neighbour entry", async () => {
    const entry = ["lladdr", "02:00:00:00:00:99", "nud", "permanent", "dev", "eth0"]
    await expectCause(
      async () => {
        await scene.a.ip(["neigh", "replace", at.b4, ...entry])
        await scene.a.ip(["neigh", "replace", at.b6, ...entry])
      },
      async () => {
        await scene.a.ip(["neigh", "del", at.b4, "dev", "eth0"])
        await scene.a.ip(["neigh", "del", at.b6, "dev", "eth0"])
      },
      { [`-4 a ${TO_B}`]: "stale-neighbour", [`-6 a ${TO_B}`]: "stale-neighbour" },
    )
  })
})

describe("filters and ports", () => {
  test("networks are kept apart, and published ports are the way in", async () => {
    expect(await scene.cause("a", `c:${INSIDE}`)).toBe("isolation")
    expect(await scene.cause("-6", "a", `c:${INSIDE}`)).toBe("isolation")
    expect(await scene.cause("outside", `a:${INSIDE}`)).toBe("not-published")
  })

  test("somebody else's table drops", async () => {
    await expectCause(
      () =>
        host.loadNft(
          `table inet office { chain gate { type filter hook forward priority 5; iifname "${at.bridge}" counter drop comment "nothing leaves"\n}\n}\n`,
        ),
      () => host.exec(["nft", "delete", "table", "inet", "office"]),
      { "-4 a internet": "foreign-rule", "-6 a internet": "foreign-rule", [`a ${TO_B}`]: undefined },
    )
  })

  test("nobody listens", async () => {
    expect(await scene.cause("a", "b:81")).toBe("no-listener")
    expect(await scene.cause("-6", "a", "b:81")).toBe("no-listener")
    expect(await scene.cause("a", `b:${INSIDE}/udp`)).toBe("no-listener")
    ;(await host.cli(["publish", "b", "8081:81"])).ok()
    await expectCause(
      async () => undefined,
      () => host.cli(["unpublish", "b", "8081:81"]),
      { "outside host:8081": "no-listener", "c host:8081": "no-listener" },
    )
  })

  test("published for another address", async () => {
    await expectCause(
      async () => (await host.cli(["publish", "b", `127.0.0.1:8082:${INSIDE}`])).ok(),
      () => host.cli(["unpublish", "b", `127.0.0.1:8082:${INSIDE}`]),
      { "outside host:8082": "published-elsewhere", "host 127.0.0.1:8082": undefined },
    )
  })

  test("a name that nobody has, with the nearest that somebody has", async () => {
    expect(await scene.cause("a", "nobody-at-all")).toBe("name-unknown")
    expect((await scene.explain("a", "hots")).cause?.message).toContain('"host"')
  })

  test("a namespace that is gone", async () => {
    ;(await host.cli(["attach", `--new=${host.unique("d")}`, "--network", "front", "d"])).ok()
    await host.exec(["ip", "netns", "delete", host.unique("d")])
    expect(await scene.cause("a", "d")).toBe("namespace-gone")
    expect(await scene.cause("d", "a")).toBe("namespace-gone")
  })
})
