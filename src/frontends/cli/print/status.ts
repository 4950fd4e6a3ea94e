// How a container fares, in a word and a colour.

import type { ContainerSummary } from "#model/view.ts"
import type { Paint } from "./look.ts"

export function statusText({ status, exitCode }: ContainerSummary): string {
  return status === "exited" && exitCode !== undefined ? `exited (${exitCode})` : status
}

export function statusColour({ status, exitCode }: ContainerSummary): Paint {
  if (status === "running") {
    return "green"
  }
  return status === "gone" || (exitCode ?? 0) !== 0 ? "red" : "dim"
}
