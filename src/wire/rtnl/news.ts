// What rtnetlink tells its listeners: include/uapi/linux/rtnetlink.h enum rtnetlink_groups, RTM_NEWNETCONF.

export const RTNLGRP = {
  link: 1,
  ipv4Address: 5,
  ipv4Route: 7,
  ipv6Address: 9,
  ipv6Route: 11,
  ipv4Netconf: 24,
  ipv6Netconf: 25,
} as const

/** Forwarding, rp_filter and a few more were changed (include/uapi/linux/netconf.h). Other settings are not told of. */
export const RTM_NEWNETCONF = 80
