// Where linkspan's chains are hooked, all in one place.
//
//  from a container's veth                       from eth0, a VPN, …
//        │
//  ══ bridge prerouting ═════════════════
//   -310 prerouting       drop what the container may not send
//   -300 …   0            (other people's bridge rules; 0: br_netfilter)
//        │
//        ├─ for another port ── bridge forward ── bridge postrouting ── the other container
//        │                      (br_netfilter: inet prerouting, forward and postrouting see the frame as well)
//        └─ for the host's MAC                         │
//  ══ inet prerouting ═════════════════════════════════╧═════════   a process of the host
//   -200                  (conntrack)                              ══ inet output ═══════
//   -100 prerouting       published port: DNAT                      -100 output   published port: DNAT
//        │                                                               │
//     routing ── local ── inet input                                     │
//        │                 -10 input   internal networks: gateway only   │
//  ══ inet forward ══════════════════════                                │
//    -10 forward          isolation, published ports                     │
//      0                  (Docker, ufw, firewalld, …)                    │
//        │                                                               │
//  ══ inet postrouting ═══════════════════════════════════════════════╧══
//    100 postrouting      hairpin and outbound NAT: masquerade
//        │
//  the wire, or a bridge and a container's veth

/** As `nft list` (1.0.6) prints them; numbers are offsets from include/uapi/linux/netfilter_{ipv4,bridge}.h. */
export const PRIORITIES = {
  /** Before everything of the bridge family, NF_BR_PRI_NAT_DST_BRIDGED (-300) included: others see no forged frame. */
  guard: "dstnat - 10",
  /** NF_IP_PRI_NAT_DST. */
  publish: "dstnat",
  /** The same number; nft 1.0.6 knows the name at prerouting only. */
  publishLocal: "-100",
  /** Before the host's own filter (0): what is refused here is not counted as accepted there. Accepting is not final. */
  forward: "filter - 10",
  input: "filter - 10",
  /** NF_IP_PRI_NAT_SRC. */
  masquerade: "srcnat",
} as const
