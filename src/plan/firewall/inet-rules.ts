// The chains of `table inet linkspan`: publishing, outbound NAT, isolation. Text as nft(8) reads it and, comments
// aside, as `nft list` prints it. The same for every host; what differs is in the sets (sets.ts).
// priorities.ts shows where the hooks are.

import { PRIORITIES } from "./priorities.ts"
import { counted } from "./refusal.ts"

export const INET_COUNTERS = ["loopback_from_network", "refused", "unpublished", "invalid"] as const

export const INET_RULES = `\
	# Ports published at one address first, then those at every address. What is in no map is not translated.
	chain publish4 {
		dnat ip to ip daddr . meta l4proto . th dport map @published4_at
		dnat ip to meta l4proto . th dport map @published4
	}

	chain publish6 {
		dnat ip6 to ip6 daddr . meta l4proto . th dport map @published6_at
		dnat ip6 to meta l4proto . th dport map @published6
	}

	# From other machines and from containers. A loopback address in such a packet is a forgery: without these conditions a
	# neighbour could reach what is published at 127.0.0.1 only, since translation comes before the routing decision that
	# would refuse the packet.
	chain publish_abroad {
		ip daddr != 127.0.0.0/8 goto publish4
		ip6 daddr != ::1 goto publish6
	}

	# Internal networks use no published ports; refusing them untranslated is what br_netfilter can do (it sends a
	# translated flow's reset past conntrack, from an address the client never used).
	chain prerouting {
		type nat hook prerouting priority ${PRIORITIES.publish}; policy accept;
		iifname @confined return
		fib daddr type local goto publish_abroad
	}

	# From the host itself, at any of its addresses.
	chain output {
		type nat hook output priority ${PRIORITIES.publishLocal}; policy accept;
		fib daddr type local meta nfproto vmap { ipv4 : goto publish4, ipv6 : goto publish6 }
	}

	chain enter_nat {
		ct status dnat accept
	}

	chain enter_routed {
		ct status dnat accept
		ip daddr . meta l4proto . th dport @opened4 accept
		ip6 daddr . meta l4proto . th dport @opened6 accept
		icmp type echo-request accept
		icmpv6 type echo-request accept
	}

	# Containers of other networks are no outsiders: what is not published to them is for "cross" to judge.
	chain enter_direct {
		ct status dnat accept
		iifname != @bridges accept
	}

	# A refusal that arrives. Of ICMP errors a receiver gets about one a second (icmp_ratelimit), and one that comes back
	# while connect() still holds its socket, as it does from the same machine, is dropped (TcpExtLockDroppedIcmps).
	chain refuse {
		meta l4proto tcp ${counted("refused", "refuse")} reject with tcp reset
		${counted("refused", "refuse")} reject with icmpx admin-prohibited
	}

	# Between two networks: at least one of them is open, and neither is strict.
	chain cross {
		iifname @open oifname @open_or_guarded accept
		iifname @open_or_guarded oifname @open accept
		goto refuse
	}

	# A new flow out of a network that may be left: to what another network publishes, or out of the host.
	chain leave {
		oifname vmap @entering
		oifname @bridges goto cross
		# Conntrack cannot translate these, so they would leave with the container's address.
		ct state invalid ${counted("invalid", "leave")} drop
	}

	# Somebody behind a bridge who claims to be the host's own loopback.
	chain claims_loopback {
		iifname @bridges ${counted("loopback_from_network", "claims_loopback")} drop
		iifname @lent ${counted("loopback_from_network", "claims_loopback")} drop
	}

	# The first rule is for nearly all packets: those of flows that have been answered, except where the source is given
	# another address. That includes every flow from a loopback address of the host (masquerade_into_network), so nobody
	# can slip a packet into one of those; see from_bridge. Frames that br_netfilter shows to this hook while they cross a
	# bridge have that bridge as input and output.
	chain forward {
		type filter hook forward priority ${PRIORITIES.forward}; policy accept;
		ct status seen-reply / seen-reply,snat accept
		ip saddr 127.0.0.0/8 jump claims_loopback
		ct state established,related accept
		iifname . oifname @same_network accept
		iifname vmap @leaving
		oifname vmap @entering
		# From elsewhere, and not published: silence, as if there were no such address.
		oifname @bridges ${counted("unpublished", "forward")} drop
	}

	chain reach_gateway {
		ct state established,related accept
		fib daddr . iif type { local, broadcast, multicast } accept
		goto refuse
	}

	# The one thing that comes from a bridge to a loopback address is the answer to the host's own client of a published
	# port, which conntrack has given its address back.
	chain to_loopback {
		ct status snat accept
		${counted("loopback_from_network", "to_loopback")} drop
	}

	# route_localnet=1 on a bridge lets the host's own clients use published ports at 127.0.0.1. What it would also let
	# happen, somebody on the bridge sending to or from the host's loopback addresses, ends here. (A chain at prerouting
	# would see less to consider, and cost every packet of the host, forwarded or not, as much as all of "forward".)
	chain from_bridge {
		ip saddr 127.0.0.0/8 iifname @bridges ${counted("loopback_from_network", "from_bridge")} drop
		ip daddr 127.0.0.0/8 iifname @bridges goto to_loopback
		iifname vmap @reaching
	}

	# To the host itself. What comes from no bridge at all pays comparisons, not a look-up. Other people's interfaces have
	# route_localnet=1 as well while ports are published behind them.
	chain input {
		type filter hook input priority ${PRIORITIES.input}; policy accept;
		ip saddr 127.0.0.0/8 iifname @lent ${counted("loopback_from_network", "input")} drop
		ip daddr 127.0.0.0/8 iifname @lent goto to_loopback
		meta iifkind "bridge" goto from_bridge
	}

	# Translated flows into a bridge keep the client's address, except where the answer would not come back through here:
	# to the host's loopback address, and to a client on the bridge itself. Of what comes neither from a bridge nor, where
	# br_netfilter does not say from where, from nowhere, that need not be asked: a look-up of intervals costs the first
	# packet of a connection as much as all the rest here.
	chain masquerade_into_network {
		ip saddr 127.0.0.0/8 masquerade
		ip6 saddr ::1 masquerade
		iif != 0 iifname != @bridges return
		ct status dnat ip saddr . oifname @hairpin4 masquerade
		ct status dnat ip6 saddr . oifname @hairpin6 masquerade
	}

	# The same for containers that another program connected; what else goes there is that program's business.
	chain masquerade_to_guest {
		ip saddr 127.0.0.0/8 masquerade
		ct status dnat ip saddr . oifname @guests4 masquerade
		ct status dnat ip6 saddr . oifname @guests6 masquerade
	}

	chain postrouting {
		type nat hook postrouting priority ${PRIORITIES.masquerade}; policy accept;
		oifname @bridges goto masquerade_into_network
		oifname @lent jump masquerade_to_guest
		# The host talking to itself at a gateway address.
		oifname "lo" return
		snat ip to ip saddr map @outbound4
		snat ip6 to ip6 saddr map @outbound6
		ip saddr @masquerade4 masquerade
		ip6 saddr @masquerade6 masquerade
	}
`
