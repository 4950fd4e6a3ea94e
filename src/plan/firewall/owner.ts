// Whose tables they are: the state that they were loaded from, in the comment of the inet table. So it is there exactly
// as long as the tables are, whoever looks at the ruleset sees it, and a table without it is anybody's.

export interface Owner {
  /** Of the state, made with its database. */
  readonly id: string
  /** The directory as far as a comment has room for it: to be read, not to be opened. */
  readonly directory: string
}

const MARK = "state"
/** nft(8) takes 128 bytes; the rest is for the words around it. */
const LONGEST_DIRECTORY = 96

export function ownerComment({ id, directory }: Owner): string {
  // nft's strings have no escapes.
  const plain = directory.replace(/[^ !#-[\]-~]/g, "?")
  return `${MARK} ${id} ${plain.length > LONGEST_DIRECTORY ? `…${plain.slice(3 - LONGEST_DIRECTORY)}` : plain}`
}

export function parseOwner(comment: string): Owner | undefined {
  const [mark, id, ...rest] = comment.split(" ")
  return mark === MARK && id !== undefined && rest.length > 0 ? { id, directory: rest.join(" ") } : undefined
}
