// What a resolver has done since it was made, as counters.

export class Statistics {
  queries = 0
  /** Answered from the directory. */
  local = 0
  /** Answered with what a server said before. */
  cached = 0
  /** Asked of servers. */
  forwarded = 0
  /** Of those, the ones that no server answered. */
  failed = 0
  /** Strangers, and what is not asked on behalf of this asker. */
  refused = 0
  malformed = 0
}
