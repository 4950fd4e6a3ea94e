// How this program is started once more, whether it is the one executable, a checkout, or a library in somebody's Bun.

/** Where `bun build --compile` puts what it has packed. */
const PACKED = "/$bunfs/"

export function selfCommand(): string[] {
  return import.meta.dir.startsWith(PACKED)
    ? [process.execPath]
    : // What a user keeps in ./.env is nothing to a daemon.
      [process.execPath, "--no-env-file", `${import.meta.dir.slice(0, -"engine/names".length)}main.ts`]
}
