// The link group (ip-link(8)) of every link that linkspan makes: the proof of ownership, there from the moment of
// creation, without which nothing is ever deleted. The rules know a container's cable by it.

/** "lnks" in ASCII; `ip link show group 1819175795` lists them. */
export const LINK_GROUP = 0x6c6e6b73

/** The group of those cables that the rules shall not see. */
export const UNGUARDED_GROUP = LINK_GROUP + 1

/** The group of those that are on their way out: a group is deleted in one go (rtnetlink(7), rtnl_group_dellink()). */
export const LEAVING_GROUP = LINK_GROUP + 2

export function isOwnGroup(group: number | undefined): boolean {
  return group === LINK_GROUP || group === UNGUARDED_GROUP || group === LEAVING_GROUP
}
