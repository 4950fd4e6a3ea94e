// What is compared: something that attaches container number n to a network that already exists, with one published
// TCP port and NAT, and takes it off again. Every implementation runs inside a private host of its own (host.ts).

export interface Place {
  /** A directory on the machine's disk that belongs to this contender alone. */
  readonly dir: string
  /** Paths of the containers' namespaces; container n is namespaces[n]. */
  readonly namespaces: readonly string[]
}

export interface Contender {
  readonly version: string
  /** Milliseconds that attaching container n took, by this process's clock. */
  attach(n: number): Promise<number>
  detach(n: number): Promise<number>
  /** Address of container n; for the scenarios with traffic. */
  address?(n: number): string
  /** Whatever else a scenario asks of this contender in particular. */
  readonly extra?: Readonly<Record<string, (...args: readonly number[]) => Promise<unknown>>>
  close(): Promise<void>
}

/** Makes the network and everything else that is there before the first attach; not timed. */
export type Start = (place: Place) => Promise<Contender>

/** Container n publishes this port of the host … */
export function hostPort(n: number): number {
  return 20_000 + n
}
/** … and serves it here. */
export const CONTAINER_PORT = 80
