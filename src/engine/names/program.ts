// How this program is started once more, whether it is the one executable, a checkout, or a library in somebody's Bun.

/** Where `bun build --compile` puts what it has packed. */
const PACKED = "/$bunfs/"

/**
 * For a process that stays and holds little: its collector is to act as on a machine of 64 MB, so that a burst of
 * questions does not leave it with a heap of 40 MB (the name of a JavaScriptCore option, which Bun takes as a variable).
 */
export const SMALL_HEAP = { BUN_JSC_forceRAMSize: String(64 << 20) } as const

export function selfCommand(): string[] {
  return import.meta.dir.startsWith(PACKED)
    ? [process.execPath]
    : // What a user keeps in ./.env is nothing to a daemon.
      [process.execPath, "--no-env-file", `${import.meta.dir.slice(0, -"engine/names".length)}main.ts`]
}
