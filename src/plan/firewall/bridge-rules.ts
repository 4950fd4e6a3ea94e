// The chains of `table bridge linkspan`: what a container may put on its cable. Text as nft(8) reads it and, comments
// aside, as `nft list` prints it. Frames of ports that are not linkspan's pay one failed look-up.

import { PRIORITIES } from "./priorities.ts"

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
	# RFC 5227: a probe asks for an address from 0.0.0.0 and claims nothing.
	chain guard_arp {
		iifname . ether saddr != @macs counter name "spoofed_arp" drop
		iifname . arp saddr ether . arp saddr ip @sources4 accept
		arp operation request arp saddr ip 0.0.0.0 iifname . arp saddr ether @macs accept
		counter name "spoofed_arp" drop
	}

	# A DHCP server or an IGMP querier in a container would reconfigure its neighbours, or draw all multicast to itself.
	chain guard_ip4 {
		udp sport 67 counter name "rogue_dhcp" drop
		ether type ip igmp type membership-query counter name "rogue_querier" drop
		iifname . ether saddr . ip saddr @sources4 accept
		ip saddr 0.0.0.0 udp sport 68 udp dport 67 iifname . ether saddr @macs accept
		counter name "spoofed_ip4" drop
	}

	# The same for IPv6: router advertisements and redirects (RFC 6105), MLD queries, DHCPv6 servers, and neighbour
	# advertisements for an address of somebody else. A source of :: is duplicate address detection (RFC 4862 §5.4)
	# and the multicast report that goes with it (RFC 3590).
	chain guard_ip6 {
		icmpv6 type { nd-router-advert, nd-redirect } counter name "rogue_router" drop
		icmpv6 type mld-listener-query counter name "rogue_querier" drop
		icmpv6 type nd-neighbor-advert iifname . ether saddr . @th,64,128 != @advertised6 counter name "spoofed_ip6" drop
		udp sport 547 counter name "rogue_dhcp" drop
		iifname . ether saddr . ip6 saddr @sources6 accept
		ip6 saddr :: icmpv6 type { nd-router-solicit, nd-neighbor-solicit, mld2-listener-report } iifname . ether saddr @macs accept
		counter name "spoofed_ip6" drop
	}

	# Anything else on the wire (VLAN tags, PPPoE, MPLS, 802.3 frames) would go around the checks above.
	chain guard {
		ether type vmap { ip : goto guard_ip4, arp : goto guard_arp, ip6 : goto guard_ip6 }
		counter name "other_protocol" drop
	}

	# Before the bridge learns the sender's MAC, before br_netfilter and conntrack.
	chain prerouting {
		type filter hook prerouting priority ${PRIORITIES.guard}; policy accept;
		iifname @ports goto guard
	}

	# Frames for the host. It answers ARP for each of its addresses on every link (arp_ignore=0), so it would tell an
	# isolated network its other addresses. Spanning tree messages come by no hook: with STP on, that is the port's
	# root_block to refuse; with STP off, they are one of the "other protocols" above.
	chain input {
		type filter hook input priority ${PRIORITIES.bridgeInput}; policy accept;
		ether type arp iifname @detached counter name "arp_to_host" drop
	}
`
