// The real packet of `linkspan explain`: rules that no model foresees are named, healthy pairs are answered, and nothing
// is left behind by one that was killed.

import { expect, test } from "bun:test"
import { Host } from "../host.ts"
import { type Listener, Netns } from "../netns.ts"
import { until } from "../run.ts"
import { INSIDE, PUBLISHED, Scene } from "./explain-scene.ts"

const TO_B = `b:${INSIDE}`

function dropping(family: string, hook: string, match: string, comment: string): string {
  return `table ${family} office {
  chain gate {
    type filter hook ${hook} priority 5; policy accept;
    ${match} counter drop comment "${comment}"
  }
}
`
}

test("explain() names the rule that drops, by its comment, wherever it stands", async () => {
  await using host = await Host.create()
  const scene = await Scene.set(host)
  const cases = [
    { family: "bridge", hook: "forward", match: `tcp dport ${INSIDE}`, from: "a", to: TO_B },
    { family: "inet", hook: "forward", match: `tcp dport ${INSIDE}`, from: "c", to: `host:${PUBLISHED}` },
    { family: "inet", hook: "input", match: "tcp dport 99", from: "a", to: "host:99" },
    // The answer, not the question.
    { family: "bridge", hook: "forward", match: `tcp sport ${INSIDE}`, from: "a", to: TO_B },
  ]
  const listener = await host.listen(99)
  for (const { family, hook, match, from, to } of cases) {
    await host.loadNft(dropping(family, hook, match, "no web here"))
    for (const which of ["-4", "-6"]) {
      const explained = await scene.explain(which, from, to)
      expect(explained).toMatchObject({
        reachable: false,
        cause: { code: "foreign-rule" },
        probe: { drop: { family, table: "office", chain: "gate", comment: "no web here" } },
      })
      expect(explained.cause?.message).toContain("no web here")
      expect(explained.hops.at(-1)).toMatchObject({ place: `table ${family} office`, failed: true })
    }
    await host.exec(["nft", "delete", "table", family, "office"])
  }
  await listener.stop()
  await scene.clear()
})

test("explain() says what is refused beyond the host's rules, and where model and packet disagree", async () => {
  await using host = await Host.create()
  const scene = await Scene.set(host)
  await scene.b.loadNft(dropping("inet", "input", `tcp dport ${INSIDE}`, "inside"))
  expect(await scene.explain("a", TO_B)).toMatchObject({
    reachable: false,
    cause: { code: "unanswered" },
    findings: ["by the model the packet arrives; the real one did not"],
  })
  await scene.b.exec(["nft", "flush", "ruleset"])
  expect(await scene.explain("--no-probe", "a", TO_B)).not.toHaveProperty("probe")
  expect(await scene.explain("a", "internet:443")).not.toHaveProperty("probe")
  await scene.clear()
})

test("explain() has no false alarm on 60 healthy pairs", async () => {
  await using host = await Host.create()
  await using linkspan = await host.linkspan()
  await linkspan.networks.create({ name: "net", ipv6: true })
  const names = ["p", "q", "r", "s", "t", "u"]
  const listeners: Listener[] = []
  for (const name of names) {
    await linkspan.attach({ name, netns: { kind: "new", name: host.unique(name) }, networks: [{ network: "net" }] })
    const netns = new Netns(host.unique(name))
    listeners.push(await netns.listen(INSIDE))
  }
  const wrong: unknown[] = []
  for (const from of names) {
    for (const to of names.filter((name) => name !== from)) {
      for (const family of [4, 6] as const) {
        const { reachable, findings, cause, probe } = await linkspan.explain({ from, to, port: INSIDE, family })
        if (!reachable || findings.length > 0 || probe?.outcome !== "answered") {
          wrong.push({ from, to, family, cause, findings, probe })
        }
      }
    }
  }
  expect(wrong).toEqual([])
  for (const listener of listeners) {
    await listener.stop()
  }
  for (const name of names) {
    await linkspan.detach(name)
  }
  await linkspan.networks.remove("net")
})

test("explain() leaves nothing behind when it is killed", async () => {
  await using host = await Host.create()
  const scene = await Scene.set(host)
  // Inside, where nothing is traced: the packet is waited for in vain.
  await scene.b.loadNft(dropping("inet", "input", `tcp dport ${INSIDE}`, "inside"))
  const tables = async (): Promise<string> => (await host.exec(["nft", "-s", "list", "ruleset"])).stdout
  const before = await tables()
  const program = host.startCli(["explain", "a", TO_B])
  const marked = await until(async () => ((await tables()).includes("linkspan_probe_") ? true : undefined), 5000)
  process.kill(program.pid, "SIGKILL")
  await program.exited
  expect(marked).toBe(true)
  expect(await tables()).toBe(before)
  await scene.b.exec(["nft", "flush", "ruleset"])
  await scene.clear()
})
