// The kernel's reasons for dropping a packet, as people meet them between containers: include/net/dropreason-core.h. What
// is not here is told by the kernel's name alone.

interface Meaning {
  readonly what: string
  /** What to type next; `LINK` is the link that the packet came to. */
  readonly remedy?: string
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  NETFILTER_DROP: { what: "a packet filter's rule that cannot be traced", remedy: "iptables-save -c" },
  IP_RPFILTER: { what: "the reverse path filter", remedy: "sysctl -a -r 'rp_filter$'" },
  TC_INGRESS: { what: "a tc filter at an interface's entry", remedy: "tc filter show dev LINK ingress" },
  TC_EGRESS: { what: "a tc filter at an interface's exit", remedy: "tc qdisc show" },
  XDP: { what: "an XDP program", remedy: "ip -d link show dev LINK" },
  QDISC_DROP: { what: "a queueing discipline, as of a rate limit", remedy: "tc -s qdisc show" },
  BPF_CGROUP_EGRESS: { what: "a BPF program of a cgroup", remedy: "bpftool cgroup tree" },
  SECURITY_HOOK: { what: "a security module", remedy: "journalctl -k -g 'avc|apparmor'" },
  XFRM_POLICY: { what: "an IPsec policy", remedy: "ip xfrm policy" },
  SOCKET_FILTER: { what: "a filter that the listening program has put on its socket", remedy: "ss -lntup --bpf" },
  SOCKET_RCVBUFF: { what: "the receiver's full buffer: the program does not read", remedy: "ss -lntupm" },
  TCP_LISTEN_OVERFLOW: { what: "a full queue of connections: the program does not accept them", remedy: "ss -lntp" },
  SOCKET_BACKLOG: { what: "the receiver's full backlog", remedy: "ss -lntupm" },
  NO_SOCKET: { what: "nobody listening", remedy: "ss -lntup" },
  OTHERHOST: { what: "a frame for somebody else's MAC address", remedy: "ip neigh" },
  PKT_TOO_BIG: { what: "a packet that is too large for the next link", remedy: "ip link" },
  IP_CSUM: { what: "a wrong checksum of the IP header" },
  TCP_CSUM: { what: "a wrong checksum", remedy: "ethtool -k LINK" },
  UDP_CSUM: { what: "a wrong checksum", remedy: "ethtool -k LINK" },
  IPV6DISABLED: { what: "IPv6 being switched off there", remedy: "sysctl -a -r 'disable_ipv6$'" },
  NEIGH_FAILED: { what: "a neighbour that does not answer", remedy: "ip neigh" },
  FULL_RING: { what: "the receiving interface's full queue", remedy: "ip -s link show dev LINK" },
  CPU_BACKLOG: { what: "the CPU's full queue", remedy: "sysctl net.core.netdev_max_backlog" },
  BRIDGE_INGRESS_STP_STATE: { what: "a bridge port that does not forward", remedy: "bridge -d link" },
}

export interface DropMeaning {
  /** "a tc filter at an interface's entry" */
  readonly what?: string
  readonly remedy: string
}

export function meaningOf(reason: string, ifname: string | undefined): DropMeaning {
  const meaning = MEANINGS[reason]
  // A link's own settings are where most of the nameless reasons come from: VLANs, locked ports.
  const remedy = meaning === undefined ? "bridge -d link show dev LINK" : (meaning.remedy ?? "linkspan doctor")
  return {
    ...(meaning === undefined ? {} : { what: meaning.what }),
    remedy: ifname === undefined && remedy.includes("LINK") ? "linkspan doctor" : remedy.replace("LINK", ifname ?? ""),
  }
}
