// How this program is started once more, whether it is the one executable, a checkout, or a library in somebody's Bun.

import { fileURLToPath } from "node:url"

/** Where `bun build --compile` puts what it has packed. */
const PACKED = "/$bunfs/"

export function selfCommand(): string[] {
  return import.meta.url.includes(PACKED)
    ? [process.execPath]
    : // What a user keeps in ./.env is nothing to a daemon.
      [process.execPath, "--no-env-file", fileURLToPath(new URL("../../main.ts", import.meta.url))]
}
