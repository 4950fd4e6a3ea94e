import { describe, expect, test } from "bun:test"
import type { State } from "#model/view.ts"
import { differences, EventLog } from "./event-log.ts"
import { streamEvents } from "./events.ts"
import type { Answer, Stream } from "./http.ts"

/** "a" is a network with no labels, "a:x" one that is called differently inside. */
function state(version: string, networks: readonly string[], endpoints: readonly string[] = []): State {
  return {
    version,
    networks: networks.map((text) => {
      const [id = "", mark] = text.split(":")
      return { id, name: `net-${id}`, driver: "bridge", labels: mark === undefined ? {} : { mark } }
    }),
    sandboxes: [...new Set(endpoints.map((text) => text.split(">")[1] ?? ""))]
      .filter((id) => id === "d")
      .map((id) => ({ id, name: `container-${id}`, labels: { tier: "x" } })),
    endpoints: endpoints.map((text) => {
      const [network = "", sandbox = ""] = text.split(">")
      return { id: text, network, sandbox }
    }),
    // A cast: nothing else of the objects is looked at.
  } as unknown as State
}

describe("differences()", () => {
  const cases: readonly { name: string; before: State; after: State; want: readonly string[] }[] = [
    { name: "nothing", before: state("1", ["a"], ["a>c"]), after: state("2", ["a"], ["a>c"]), want: [] },
    {
      name: "a network made with a container",
      before: state("1", []),
      after: state("2", ["a"], ["a>c"]),
      want: ["create a", "connect a c"],
    },
    {
      name: "a network gone with its container",
      before: state("1", ["a"], ["a>c"]),
      after: state("2", []),
      want: ["disconnect a c", "destroy a"],
    },
    {
      name: "a move",
      before: state("1", ["a", "b"], ["a>c"]),
      after: state("2", ["a", "b"], ["b>c"]),
      want: ["disconnect a c", "connect b c"],
    },
    {
      name: "a container that comes and one that goes",
      before: state("1", ["a"]),
      after: state("2", ["a"], ["a>d"]),
      want: ["create container-d", "connect a d", "start container-d"],
    },
    {
      name: "a container that goes with its network",
      before: state("1", ["a"], ["a>d"]),
      after: state("2", []),
      want: ["disconnect a d", "die container-d", "destroy container-d", "destroy a"],
    },
    { name: "a change", before: state("1", ["a"]), after: state("2", ["a:x"]), want: ["update a"] },
  ]
  test.each(cases)("$name", ({ before, after, want }) => {
    expect(
      differences(before, after).map(({ type, action, id, attributes: { name = "", container } }) =>
        [action, type === "container" ? name : id, container ?? ""]
          .map((part) => part.replace(/0+$/, ""))
          .join(" ")
          .trim(),
      ),
    ).toEqual([...want])
  })
})

describe("EventLog", () => {
  test("follow() tells each difference once, in ascending times, whatever the clock does", () => {
    const times = [5n, 5n, 3n]
    const log = new EventLog(state("1", []), () => times.shift() ?? 0n)
    const heard: string[] = []
    const leave = log.listen(({ action }) => heard.push(action))
    log.follow(state("2", ["a", "b", "c"]))
    log.follow(state("2", ["a"]))
    expect(heard).toEqual(["create", "create", "create"])
    expect(log.kept.map(({ timeNs }) => timeNs)).toEqual([5n, 6n, 7n])
    leave()
    log.follow(state("3", ["a"]))
    expect(heard).toHaveLength(3)
    expect(log.kept.map(({ action, id, attributes }) => [action, id, attributes]).at(-1)).toEqual([
      "destroy",
      "c".padEnd(64, "0"),
      { name: "net-c", type: "bridge" },
    ])
  })

  test("keeps the last 256", () => {
    const log = new EventLog(state("1", []), () => 0n)
    for (let n = 0; n < 300; n++) {
      log.add({ type: "network", action: "prune", id: "", attributes: { n: String(n) } })
    }
    expect(log.kept).toHaveLength(256)
    expect(log.kept[0]?.attributes).toEqual({ n: "44" })
  })
})

describe("streamEvents()", () => {
  const NS = 1_000_000_000n

  function open(log: EventLog, query: string, { accept = "", minor = 50 } = {}) {
    const answer: Answer = streamEvents(log, {
      version: { major: 1, minor },
      params: {},
      query: new URLSearchParams(query),
      accept,
      contentType: "",
      body: "",
    })
    const lines: string[] = []
    let ended = false
    const leave = (answer.body as Stream)(
      (text) => lines.push(text),
      () => {
        ended = true
      },
    )
    return { lines, leave, type: answer.headers?.["Content-Type"], ended: () => ended }
  }

  function filled(): EventLog {
    let second = 0n
    const log = new EventLog(state("1", []), () => ++second * NS)
    log.follow(state("2", ["a"]))
    log.follow(state("3", ["a", "b"], ["a>c"]))
    log.follow(state("4", ["b"]))
    return log
  }
  const actions = (lines: readonly string[]): unknown[] =>
    lines.map((line) => {
      const { Action, Actor } = JSON.parse(line) as { Action: string; Actor: { Attributes: { name: string } } }
      return `${Action} ${Actor.Attributes.name}`
    })

  test("tells what was since a moment, and nothing of it when none is named", () => {
    const log = filled()
    expect(open(log, "").lines).toEqual([])
    expect(actions(open(log, "since=1").lines)).toEqual([
      "create net-a",
      "create net-b",
      "connect net-a",
      "disconnect net-a",
      "destroy net-a",
    ])
    expect(actions(open(log, "since=3.000000000").lines)).toHaveLength(3)
  })

  test("ends at a moment that is past", () => {
    const past = open(filled(), "since=1&until=2")
    expect(actions(past.lines)).toEqual(["create net-a", "create net-b"])
    expect(past.ended()).toBeTrue()
  })

  test("filters narrow together, values of one are alternatives", () => {
    const of = (filters: object) => actions(open(filled(), `since=1&filters=${JSON.stringify(filters)}`).lines)
    expect(of({ event: ["connect", "disconnect"] })).toEqual(["connect net-a", "disconnect net-a"])
    expect(of({ network: { "net-b": true } })).toEqual(["create net-b"])
    expect(of({ network: ["a00"], event: ["create"] })).toEqual(["create net-a"])
    expect(of({ container: ["c0"] })).toEqual(["connect net-a", "disconnect net-a"])
    expect(of({ type: ["container"] })).toEqual([])
    expect(of({ image: ["x"] })).toEqual([])
    expect(of({ scope: ["local"], type: ["network"] })).toHaveLength(5)
  })

  test("a container's events have its labels, and are found by them", () => {
    const log = new EventLog(state("1", ["a"]), () => NS)
    log.follow(state("2", ["a"], ["a>d"]))
    const of = (filters: object) => actions(open(log, `since=1&filters=${JSON.stringify(filters)}`).lines)
    expect(of({ label: ["tier=x"] })).toEqual(["create container-d", "start container-d"])
    expect(of({ type: ["container"], event: ["start"] })).toEqual(["start container-d"])
    expect(of({ container: ["container-d"] })).toEqual(["create container-d", "start container-d"])
  })

  test("an event is a line, its time exact, until the listener leaves", () => {
    const log = new EventLog(state("1", []), () => 1795476154490627640n)
    const { lines, leave } = open(log, "")
    log.follow(state("2", ["a"]))
    leave()
    log.follow(state("3", []))
    expect(lines).toEqual([
      `{"Type":"network","Action":"create","Actor":{"ID":"${"a".padEnd(64, "0")}","Attributes":{"name":"net-a","type":"bridge"}},"scope":"local","time":1795476154,"timeNano":1795476154490627640}\n`,
    ])
    expect(log.listeners).toBe(0)
  })

  test("another form of JSON lines, from the version on that knows them", () => {
    const asked = { accept: "application/json-seq" }
    const sequence = open(filled(), "since=1", { ...asked, minor: 52 })
    expect([sequence.type, sequence.lines[0]?.[0]]).toEqual(["application/json-seq", "\u001e"])
    expect(open(filled(), "since=1", { ...asked, minor: 51 }).type).toBe("application/json")
    expect(open(filled(), "", { accept: "application/x-ndjson, */*", minor: 52 }).type).toBe("application/x-ndjson")
  })
})
