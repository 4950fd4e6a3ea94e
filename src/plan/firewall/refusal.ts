// What stands in every rule that refuses something, before the verdict: it is counted, and told to whoever listens to
// the log group (kernel/watch/refused-packets.ts). While nobody does, the kernel gives up after one look-up
// (nfulnl_log_packet() in net/netfilter/nfnetlink_log.c).

/** "ls". Others use small numbers; ulogd's is 0. */
export const REFUSAL_GROUP = 0x6c73

/** @param counter the reason, by name. @param chain in which the rule stands */
export function counted(counter: string, chain: string): string {
  return `counter name "${counter}" log prefix "${chain} ${counter}" group ${REFUSAL_GROUP}`
}

/** The same rules for a kernel that cannot tell of packets (no nft_log, no nfnetlink_log). */
export function withoutTelling(ruleset: string): string {
  return ruleset.replaceAll(/ log prefix "[^"]*" group \d+/g, "")
}

/** A prefix in its parts. */
export function readPrefix(prefix: string): { readonly chain: string; readonly reason: string } | undefined {
  const [chain, reason] = prefix.split(" ")
  return chain === undefined || reason === undefined ? undefined : { chain, reason }
}
