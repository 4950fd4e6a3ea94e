// Loaded before every test file (bunfig.toml).

import { setDefaultTimeout } from "bun:test"

// Of one test; a whole file has the limit that scripts/test.mjs sets.
setDefaultTimeout(60_000)

// When a test fails and its host then finds leaks, the two come as one SuppressedError, of which Bun prints nothing.
Object.defineProperty(SuppressedError.prototype, "message", {
  configurable: true,
  get(this: SuppressedError): string {
    return `${describe(this.suppressed)}\n\nand then, while cleaning up: ${describe(this.error)}`
  },
})

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
