// What test/snapshot.ts shows of a namespace, by the same tools, but kept running and asked again: hundreds of looks
// are not worth thousands of processes.

import { join } from "node:path"
import type { Netns, Program } from "../netns.ts"
import { IP_LISTS, ipSnapshot, rulesetLines, type Snapshot, settingLines } from "../snapshot.ts"

const SYSCTLS = join(import.meta.dir, "sysctls.py")
/** nft(8) answers the question with one line that no ruleset has. */
const MARK = { question: "describe ip saddr\n", answer: /^payload expression, datatype ipv4_addr/ }

export class Watch {
  readonly #ip: Program
  readonly #ip6: Program
  readonly #nft: Program
  readonly #sysctls: Program

  constructor(netns: Netns) {
    const buffered = ["stdbuf", "--output=L"]
    this.#ip = netns.start([...buffered, "ip", "-j", "-d", "-batch", "-"])
    this.#ip6 = netns.start([...buffered, "ip", "-6", "-j", "-d", "-batch", "-"])
    this.#nft = netns.start([...buffered, "nft", "-s", "-i"])
    this.#sysctls = netns.start(["/usr/bin/python3", "-I", "-S", SYSCTLS])
  }

  /** The links, addresses, routes and neighbour proxies only. */
  async lookAtLinks(): Promise<Snapshot> {
    const [ip, ip6] = await Promise.all([ask(this.#ip, `address show\n${IP_LISTS}`), ask(this.#ip6, IP_LISTS)])
    return ipSnapshot([...ip, ...ip6].join("\n"))
  }

  async look(): Promise<Snapshot> {
    const [links, ruleset, sysctls] = await Promise.all([
      this.lookAtLinks(),
      this.#ruleset(),
      ask(this.#sysctls, "look\n"),
    ])
    return { ...links, "nft ruleset": ruleset, sysctls: settingLines(JSON.parse(sysctls[0] ?? "[]") as string[]) }
  }

  async #ruleset(): Promise<string[]> {
    this.#nft.write(`list ruleset\n${MARK.question}`)
    const lines: string[] = []
    for (;;) {
      const line = await this.#nft.nextLine()
      if (MARK.answer.test(line)) {
        return rulesetLines(lines.join("\n"))
      }
      if (line !== "") {
        lines.push(line)
      }
    }
  }
}

/** A line of answer for each line of the question. */
async function ask(program: Program, question: string): Promise<string[]> {
  program.write(question)
  const answers: string[] = []
  for (let missing = question.split("\n").length - 1; missing > 0; ) {
    const line = await program.nextLine()
    if (line.trim() !== "") {
      answers.push(line)
      missing--
    }
  }
  return answers
}
