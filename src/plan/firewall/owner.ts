// Whose tables they are: the state that they were loaded from, in the comment of the inet table. So it is there exactly
// as long as the tables are, whoever looks at the ruleset sees it, and a table without it is anybody's. And which rules
// they are: a version of linkspan with others puts its own there.

export interface Owner {
  /** Of the state, made with its database. */
  readonly id: string
  /** The directory as far as a comment has room for it: to be read, not to be opened. */
  readonly directory: string
  /** What the rules were known by to the version that loaded them; some said nothing of them. */
  readonly rules?: string
}

const MARK = "state"
const RULES = "rules"
/** nft(8) takes 128 bytes; the rest is for the words around it. */
const LONGEST_DIRECTORY = 80

export function ownerComment({ id, directory, rules }: Owner): string {
  // nft's strings have no escapes.
  const plain = directory.replace(/[^ !#-[\]-~]/g, "?")
  const version = rules === undefined ? "" : `${RULES} ${rules} `
  return `${MARK} ${id} ${version}${plain.length > LONGEST_DIRECTORY ? `…${plain.slice(3 - LONGEST_DIRECTORY)}` : plain}`
}

export function parseOwner(comment: string): Owner | undefined {
  const [mark, id, ...rest] = comment.split(" ")
  if (mark !== MARK || id === undefined || rest.length === 0) {
    return undefined
  }
  const [word, rules, ...directory] = rest
  return word === RULES && rules !== undefined
    ? { id, rules, directory: directory.join(" ") }
    : { id, directory: rest.join(" ") }
}
