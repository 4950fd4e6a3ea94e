// The chains of `table bridge linkspan`: what a container may put on its cable. Text as nft(8) reads it and, comments
// aside, as `nft list` prints it. Frames of ports that are not linkspan's pay one comparison.

import { LINK_GROUP } from "./link-group.ts"
import { PRIORITIES } from "./priorities.ts"
import { counted } from "./refusal.ts"

export const BRIDGE_COUNTERS = [
  "spoofed_arp",
  "spoofed_ip4",
  "spoofed_ip6",
  "rogue_dhcp",
  "rogue_router",
  "rogue_querier",
  "other_protocol",
  "arp_to_host",
] as const

export const BRIDGE_RULES = `\
	# A DHCP server in a container would reconfigure its neighbours; an IGMP or MLD querier draw all multicast to itself;
	# router advertisements and redirects (RFC 6105) and neighbour advertisements for somebody else's address all traffic.
	chain rogue_udp {
		udp sport { 67, 547 } ${counted("rogue_dhcp", "rogue_udp")} drop
	}

	chain rogue_igmp {
		ether type ip igmp type membership-query ${counted("rogue_querier", "rogue_igmp")} drop
	}

	chain rogue_icmp6 {
		icmpv6 type { nd-router-advert, nd-redirect } ${counted("rogue_router", "rogue_icmp6")} drop
		icmpv6 type mld-listener-query ${counted("rogue_querier", "rogue_icmp6")} drop
		icmpv6 type nd-neighbor-advert iifname . ether saddr . @th,64,128 != @advertised6 ${counted("spoofed_ip6", "rogue_icmp6")} drop
	}

	# The host answers ARP for each of its addresses on every link (arp_ignore=0), so it would tell an isolated network
	# all of them. RFC 5227: a probe asks for an address from 0.0.0.0 and claims nothing.
	chain guard_arp {
		iifname . ether saddr != @macs ${counted("spoofed_arp", "guard_arp")} drop
		iifname @detached arp daddr ip != @isolated4 ${counted("arp_to_host", "guard_arp")} drop
		iifname . arp saddr ether . arp saddr ip @sources4 accept
		arp operation request arp saddr ip 0.0.0.0 iifname . arp saddr ether @macs accept
		${counted("spoofed_arp", "guard_arp")} drop
	}

	# Without an address of its own a container may ask for one by DHCP,
	chain unaddressed4 {
		ip saddr 0.0.0.0 udp sport 68 udp dport 67 iifname . ether saddr @macs accept
		${counted("spoofed_ip4", "unaddressed4")} drop
	}

	# and by address detection (RFC 4862 §5.4), with the multicast report that goes with it (RFC 3590).
	chain unaddressed6 {
		ip6 saddr :: icmpv6 type { nd-router-solicit, nd-neighbor-solicit, mld2-listener-report } iifname . ether saddr @macs accept
		${counted("spoofed_ip6", "unaddressed6")} drop
	}

	chain guard4 {
		meta l4proto vmap { igmp : jump rogue_igmp, udp : jump rogue_udp }
		iifname . ether saddr . ip saddr @sources4 accept
		goto unaddressed4
	}

	chain guard6 {
		meta l4proto vmap { udp : jump rogue_udp, ipv6-icmp : jump rogue_icmp6 }
		iifname . ether saddr . ip6 saddr @sources6 accept
		goto unaddressed6
	}

	# Before the bridge learns the sender's MAC, before br_netfilter and conntrack. The group is in every link that
	# linkspan makes, from its creation on; comparing it costs a third of what a look-up of the name would.
	# A TCP segment, as nearly all frames are, pays three comparisons and one look-up, and enters no other chain.
	# What is neither IPv4, IPv6 nor ARP on the wire (VLAN tags, PPPoE, MPLS, 802.3 frames) would go around the checks.
	# "ether type" is the frame's own; other expressions go by skb->protocol, which the kernel has already set to what is
	# behind a VLAN tag.
	chain prerouting {
		type filter hook prerouting priority ${PRIORITIES.guard}; policy accept;
		iifgroup != ${LINK_GROUP} accept
		ether type ip meta l4proto tcp iifname . ether saddr . ip saddr @sources4 accept
		ether type ip6 meta l4proto tcp iifname . ether saddr . ip6 saddr @sources6 accept
		ether type ip goto guard4
		ether type ip6 goto guard6
		ether type arp goto guard_arp
		${counted("other_protocol", "prerouting")} drop
	}
`
