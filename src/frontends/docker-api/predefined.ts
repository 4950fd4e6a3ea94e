// The networks that every Docker has. Here "host" and "none" are modes of a container (`linkspan run --network host`);
// there is no default network "bridge": a container says which networks it joins.

import type { Id } from "#model/name.ts"
import type { Sandbox, SandboxMode } from "#model/sandbox.ts"

export interface Predefined {
  readonly id: Id
  readonly name: "host" | "none"
  readonly driver: "host" | "null"
  readonly containerMode: SandboxMode
}

export const PREDEFINED: readonly Predefined[] = [
  // The letters of their names, which no generated id is likely to have.
  { id: "686f73740000", name: "host", driver: "host", containerMode: "host" },
  { id: "6e6f6e650000", name: "none", driver: "null", containerMode: "none" },
]

/** A name that no network may have here, since Docker's users would take it for theirs. */
export function isPredefined(name: string): boolean {
  return ["bridge", "host", "none", "default"].includes(name)
}

export function predefinedOf({ mode }: Pick<Sandbox, "mode">): Predefined | undefined {
  return PREDEFINED.find((network) => network.containerMode === mode)
}
