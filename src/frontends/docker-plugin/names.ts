// What the user calls things. Docker tells a plugin nothing but ids, so its API is asked, where it is reachable: after a
// call of dockerd's was answered, never within one, and never for a single container, which would wait for the very
// operation that dockerd is in. One question answers for everything that happened in a moment.

import { existsSync } from "node:fs"
import type { LinkspanApi } from "#engine/linkspan.ts"
import { DOCKER_LABELS } from "#model/docker-options.ts"
import { isName } from "#model/name.ts"
import { toId } from "./ids.ts"
import { isObject, type Message, object, optionalText } from "./message.ts"

export const DOCKER_API = "/run/docker.sock"

export interface NamesOptions {
  readonly api: string
  readonly log?: (line: string) => void
}

interface Named {
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** dockerd is done with most of what it does by then. */
const PAUSE_MS = 100
/** At boot its API accepts connections and answers none, as long as it waits for its plugins. */
const ANSWER_MS = 2000
const ATTEMPTS = 5
const LONGEST_NAME = 63
const MOST_LABELS = 200
const LONGEST_LABEL = 4096

export class Names implements AsyncDisposable {
  readonly #linkspan: LinkspanApi
  readonly #options: NamesOptions
  /** Docker's ids of networks about which something is to be found out, with how often it has been tried. */
  readonly #wanted = new Map<string, number>()
  #timer: Timer | undefined
  #asking: Promise<void> = Promise.resolve()

  constructor(linkspan: LinkspanApi, options: NamesOptions) {
    this.#linkspan = linkspan
    this.#options = options
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    this.#wanted.clear()
    await this.#asking
  }

  /** Every network that Docker knows: after a start, while containers came and went unseen. */
  async wantAll(): Promise<void> {
    const { networks } = await this.#linkspan.state()
    for (const { labels } of networks) {
      const id = labels[DOCKER_LABELS.id]
      if (id !== undefined) {
        this.want(id)
      }
    }
  }

  /** Something has happened on a network. */
  want(network: string, attempt = 0): void {
    if (existsSync(this.#options.api)) {
      this.#wanted.set(network, attempt)
      this.#timer ??= setTimeout(
        () => {
          this.#timer = undefined
          this.#asking = this.#ask().catch((error: unknown) => {
            this.#options.log?.(`Docker's names are not known: ${(error as Error).message}`)
          })
        },
        PAUSE_MS * (attempt + 1),
      )
    }
  }

  async #ask(): Promise<void> {
    const wanted = [...this.#wanted]
    this.#wanted.clear()
    const labels = labelsByName(await this.#get("/containers/json?all=1"))
    const info = await this.#get("/info")
    const daemon = isObject(info) ? optionalText(info, "ID") : undefined
    for (const [id, attempt] of wanted) {
      const network = await this.#get(`/networks/${encodeURIComponent(id)}`)
      const isKnown = isObject(network) && (await this.#describe(id, network, { labels, daemon }))
      if (!isKnown && attempt < ATTEMPTS) {
        // Docker has not written down yet what it was answered.
        this.want(id, attempt + 1)
      }
    }
    await this.#clear(daemon)
  }

  /** What this very daemon had and has no more: it deleted networks while nobody listened. */
  async #clear(daemon: string | undefined): Promise<void> {
    const { networks, endpoints } = await this.#linkspan.state()
    const own = networks.filter(({ labels }) => daemon !== undefined && labels[DOCKER_LABELS.daemon] === daemon)
    const list = own.length === 0 ? undefined : await this.#get("/networks")
    if (!Array.isArray(list)) {
      return
    }
    const known = new Set(list.filter(isObject).map((network) => network["Id"]))
    for (const { id, name, labels } of own) {
      if (!known.has(labels[DOCKER_LABELS.id]) && endpoints.every(({ network }) => network !== id)) {
        await this.#linkspan.networks.remove(id)
        this.#options.log?.(`Network "${name}" is removed: Docker has deleted it`)
      }
    }
  }

  /** @returns whether Docker knew all that linkspan has. */
  async #describe(
    id: string,
    network: Message,
    { labels, daemon }: { readonly labels: ReadonlyMap<string, Message>; readonly daemon: string | undefined },
  ): Promise<boolean> {
    const networkId = toId(id)
    const names = new Map(
      Object.values(object(network, "Containers"))
        .filter(isObject)
        .map((one) => [toId(optionalText(one, "EndpointID") ?? ""), optionalText(one, "Name") ?? ""]),
    )
    const { networks, sandboxes, endpoints } = await this.#linkspan.state()
    const known = new Map(sandboxes.map((sandbox) => [sandbox.id, sandbox]))
    const cables = endpoints.filter((one) => one.network === networkId && one.looseEnd !== undefined)
    const own = networks.find((one) => one.id === networkId)
    const whose = daemon === undefined ? {} : { [DOCKER_LABELS.daemon]: daemon }
    await this.#call("network", own, optionalText(network, "Name"), { ...object(network, "Labels"), ...whose })
    for (const { id: endpoint, sandbox } of cables) {
      const name = names.get(endpoint)
      await this.#call("container", known.get(sandbox), name, labels.get(name ?? "") ?? {})
    }
    return cables.every((one) => names.has(one.id))
  }

  /** Nothing is written about what is called so already. */
  async #call(
    kind: "network" | "container",
    known: Named | undefined,
    text: string | undefined,
    given: Message,
  ): Promise<void> {
    const name = nameOf(text)
    const labels = labelsOf(given)
    const isNew = Object.entries(labels).some(([key, value]) => known?.labels[key] !== value)
    const isCalled = known !== undefined && (known.name === name || known.name === `${name}-${known.id}`)
    if (known !== undefined && name !== undefined && (isNew || !isCalled)) {
      await this.#linkspan.describe({ kind, id: known.id, name, labels })
    }
  }

  /** Undefined when there is no such thing. */
  async #get(path: string): Promise<unknown> {
    const answer = await fetch(`http://docker${path}`, {
      unix: this.#options.api,
      // A connection that is kept would outlive this.
      keepalive: false,
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    const body: unknown = await answer.json()
    return answer.ok ? body : undefined
  }
}

function labelsByName(containers: unknown): ReadonlyMap<string, Message> {
  const list = Array.isArray(containers) ? containers.filter(isObject) : []
  return new Map(
    list.flatMap((container) => {
      const names = Array.isArray(container["Names"]) ? container["Names"] : []
      return names.map((name) => [String(name).replace(/^\//, ""), object(container, "Labels")] as const)
    }),
  )
}

/** Docker allows networks names that linkspan does not. */
function nameOf(text: string | undefined): string | undefined {
  const name = text?.replaceAll(/[^A-Za-z0-9_.-]/g, "-").slice(0, LONGEST_NAME)
  return name !== undefined && isName(name) ? name : undefined
}

function labelsOf(labels: Message): Record<string, string> {
  const usable = Object.entries(labels).filter(
    ([key, value]) => typeof value === "string" && value.length < LONGEST_LABEL && /^[!-<>-~]{1,255}$/.test(key),
  )
  // A cast: only texts were kept.
  return Object.fromEntries(usable.slice(-MOST_LABELS)) as Record<string, string>
}
