// linkspan's main job in one go, on a private host: two networks, three containers, real traffic both ways, one attempt
// that isolation must refuse, and nothing left behind.

import { HOST_ADDRESSES, OUTSIDE_ADDRESSES, Stage, UPLINK } from "#engine/stage.ts"
import { LinkspanError } from "#model/errors.ts"
import type { ContainerView } from "#model/view.ts"
import { acrossBridge, type Hop, refusedBetween, toOutside, toPublished } from "./hops.ts"
import { type Answer, callPeer, READY, servePeer } from "./peer.ts"
import { needsUserNamespace, runInUserNamespace, selfCommand } from "./user-namespace.ts"

export interface DemoOptions {
  readonly colour: boolean
  readonly json: boolean
  readonly debug: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}

const PORT = 80
const PUBLISHED = 8080
const OUTSIDE_PORT = 9000
const READY_WAIT_MS = 10_000

interface Step {
  readonly title: string
  readonly why: string
  readonly hops: readonly Hop[]
  readonly expected: "passes" | "refused"
  /** A call each over IPv4 and IPv6. */
  readonly answers: readonly (Answer & { readonly target: string })[]
}

/** Exit status: 0 when everything went as it should. */
export async function runDemo(options: DemoOptions): Promise<number> {
  if (needsUserNamespace(options.env)) {
    if (!options.json) {
      console.error("Not root: running in a user namespace of its own.")
    }
    return await runInUserNamespace(options.env)
  }
  const say = new Narrator(options)
  await using stage = await Stage.open(options.debug ? (line) => console.error(line) : undefined)
  say.intro()
  const steps: Step[] = []
  for await (const step of play(stage, say)) {
    steps.push(step)
    say.step(step, steps.length)
  }
  return say.outcome(steps)
}

/** The demo's own commands for inside the namespaces: `__peer serve PORT`, `__peer call ADDRESS PORT`. */
export async function runPeer([verb, ...args]: readonly string[]): Promise<number> {
  if (verb === "serve") {
    await servePeer(Number(args[0]))
  }
  const [address = "", port] = args
  console.log(JSON.stringify(await callPeer(address, Number(port))))
  return 0
}

function peer(...args: readonly string[]): string[] {
  return [...selfCommand(), "__peer", ...args]
}

async function* play(stage: Stage, say: Narrator): AsyncGenerator<Step> {
  const { linkspan } = stage
  for (const name of ["front", "back"]) {
    const { result } = await linkspan.networks.create({ name, ipv6: true })
    say.made(
      `network ${name}`,
      `bridge ${result.actual?.ifname}  ${result.subnets.map(({ prefix }) => prefix).join("  ")}`,
    )
  }
  const containers: ContainerView[] = []
  for (const [name, network] of [
    ["web", "front"],
    ["app", "front"],
    ["db", "back"],
  ] as const) {
    await linkspan.run({
      name,
      detach: true,
      networks: [{ network }],
      command: peer("serve", String(PORT)),
      ...(name === "web" ? { publish: [{ containerPort: PORT, hostPort: PUBLISHED }] } : {}),
    })
    await listening(stage, name)
    const view = await linkspan.inspect(name)
    containers.push(view)
    say.made(`container ${name}`, `on ${network}  ${view.networks.flatMap(({ addresses }) => addresses).join("  ")}`)
  }
  await using _outside = stage.serve(peer("serve", String(OUTSIDE_PORT)))
  const [web, app, db] = containers as [ContainerView, ContainerView, ContainerView]
  const hostIps = HOST_ADDRESSES.map(withoutLength)
  const outsideIps = OUTSIDE_ADDRESSES.map(withoutLength)

  yield {
    title: "app calls web, on the same network",
    why: "one bridge joins them; the host is not involved",
    hops: acrossBridge(app, web),
    expected: "passes",
    answers: await calls(addressesOf(web), PORT, (ip, port) => fromContainer(stage, "app", ip, port)),
  }
  yield {
    title: "app calls the outside",
    why: "the outside sees the host's address, not the container's (NAT)",
    hops: toOutside(app, UPLINK, hostIps[0] ?? ""),
    expected: "passes",
    answers: await calls(outsideIps, OUTSIDE_PORT, (ip, port) => fromContainer(stage, "app", ip, port)),
  }
  yield {
    title: `the outside calls the host's port ${PUBLISHED}, published for web`,
    why: "web sees the caller's true address",
    hops: toPublished(web, UPLINK, `${hostIps[0]}:${PUBLISHED}`, `${addressesOf(web)[0]}:${PORT}`),
    expected: "passes",
    answers: await calls(hostIps, PUBLISHED, async (ip, port) =>
      answerIn((await stage.capture("outside", peer("call", ip, port))).output),
    ),
  }
  yield {
    title: "db calls web, on another network, at its own address",
    why: "networks are isolated; the refusal comes at once, nothing hangs",
    hops: refusedBetween(db, web),
    expected: "refused",
    answers: await calls(addressesOf(web), PORT, (ip, port) => fromContainer(stage, "db", ip, port)),
  }
  for (const { name } of containers) {
    await linkspan.remove(name, { force: true })
  }
  for (const name of ["front", "back"]) {
    await linkspan.networks.remove(name)
  }
}

function withoutLength(address: string): string {
  return address.slice(0, address.indexOf("/"))
}

function addressesOf(container: ContainerView): string[] {
  return container.networks.flatMap(({ addresses }) => addresses.map(withoutLength))
}

async function calls(
  ips: readonly string[],
  port: number,
  call: (ip: string, port: string) => Promise<Answer>,
): Promise<Step["answers"]> {
  const answers: (Answer & { target: string })[] = []
  for (const ip of ips) {
    answers.push({ ...(await call(ip, String(port))), target: ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}` })
  }
  return answers
}

/** A caller in a container has its output in our streams; so it runs as a container of its own in the same namespace. */
async function fromContainer(stage: Stage, name: string, ip: string, port: string): Promise<Answer> {
  const { result } = await stage.linkspan.run({
    mode: `container:${name}`,
    detach: true,
    command: peer("call", ip, port),
  })
  await result.exited
  const answer = answerIn(await logOf(stage, result.container.name))
  await stage.linkspan.remove(result.container.name, { force: true })
  return answer
}

function answerIn(output: string): Answer {
  try {
    // A cast: what the caller prints is an Answer.
    return JSON.parse(output) as Answer
  } catch (cause) {
    throw new LinkspanError("INTERNAL", {
      message: `Internal error: the demo's caller said ${JSON.stringify(output)}`,
      cause,
    })
  }
}

async function logOf(stage: Stage, container: string): Promise<string> {
  const decoder = new TextDecoder()
  let text = ""
  for await (const chunk of stage.linkspan.logs(container)) {
    text += decoder.decode(chunk, { stream: true })
  }
  return text
}

async function listening(stage: Stage, container: string): Promise<void> {
  const deadline = performance.now() + READY_WAIT_MS
  const decoder = new TextDecoder()
  let text = ""
  for await (const chunk of stage.linkspan.logs(container, { follow: true })) {
    text += decoder.decode(chunk, { stream: true })
    if (text.includes(READY)) {
      return
    }
    if (performance.now() > deadline) {
      break
    }
  }
  throw new LinkspanError("INTERNAL", {
    message: `Internal error: the demo's server in container "${container}" did not start: ${text}`,
  })
}

// ── Telling ─────────────────────────────────────────────────────────────────────────────────────────────────────────

class Narrator {
  readonly #json: boolean
  readonly #colour: boolean

  constructor({ json, colour }: DemoOptions) {
    this.#json = json
    this.#colour = colour
  }

  #paint(code: number, text: string): string {
    return this.#colour ? `\u001b[${code}m${text}\u001b[0m` : text
  }

  #line(text = ""): void {
    if (!this.#json) {
      console.log(text)
    }
  }

  intro(): void {
    this.#line(this.#paint(1, "A private host: a network namespace with one uplink, and a neighbour outside."))
    this.#line(`  host     ${UPLINK}  ${HOST_ADDRESSES.join("  ")}`)
    this.#line(`  outside  ${UPLINK}  ${OUTSIDE_ADDRESSES.join("  ")}`)
    this.#line()
  }

  made(what: string, detail: string): void {
    this.#line(`${this.#paint(32, "+")} ${what.padEnd(15)} ${this.#paint(2, detail)}`)
  }

  step(step: Step, number: number): void {
    this.#line()
    this.#line(this.#paint(1, `${number}. ${step.title}`))
    const width = Math.max(...step.hops.map(({ place }) => place.length))
    step.hops.forEach(({ place, what }, index) => {
      const arrow = index === 0 ? "  " : "→ "
      this.#line(
        `   ${arrow}${this.#paint(36, place.padEnd(width))}${what === undefined ? "" : `  ${this.#paint(2, what)}`}`,
      )
    })
    for (const answer of step.answers) {
      const asExpected = answer.ok === (step.expected === "passes")
      const verdict = answer.ok
        ? `passed in ${answer.ms} ms, the server saw ${answer.seen}`
        : `refused after ${answer.ms} ms (${answer.error})`
      this.#line(`   ${asExpected ? this.#paint(32, "✔") : this.#paint(31, "✘")} ${answer.target}: ${verdict}`)
    }
    this.#line(`   ${this.#paint(2, step.why)}`)
  }

  outcome(steps: readonly Step[]): number {
    const wrong = steps.filter(({ expected, answers }) => answers.some(({ ok }) => ok !== (expected === "passes")))
    if (this.#json) {
      console.log(JSON.stringify({ ok: wrong.length === 0, steps }, null, 2))
    }
    this.#line()
    this.#line(
      wrong.length === 0
        ? `${this.#paint(32, "✔")} Everything went as it should, and everything is gone again: this machine is as it was.`
        : `${this.#paint(31, "✘")} Not as it should be: ${wrong.map(({ title }) => title).join("; ")}`,
    )
    return wrong.length === 0 ? 0 : 1
  }
}
