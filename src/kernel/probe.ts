// Whether the kernel has a kind of link, asked without making one: a request without the lower link that the kind needs
// is refused as unknown (EOPNOTSUPP) where the kind does not exist, and as incomplete where it does. The request also
// makes the kernel load the module (rtnl_newlink() in net/core/rtnetlink.c).

import { LinkspanError } from "#model/errors.ts"
import { NLM_F, request } from "#wire/nlmsg.ts"
import { type LinkKind, linkInfo, RTM_NEWLINK } from "#wire/rtnl/link.ts"
import { EOPNOTSUPP, EPERM, KCONFIG } from "./errno.ts"
import type { NetlinkSocket } from "./netlink.ts"

/** For kinds that stand on another link. @throws LinkspanError KERNEL_FEATURE_MISSING, NOT_PERMITTED */
export function requireLinkKind(
  socket: NetlinkSocket,
  title: string,
  kind: LinkKind & ("macvlan" | "ipvlan" | "vlan"),
): void {
  const [verdict] = socket.execute([request(RTM_NEWLINK, NLM_F.CREATE | NLM_F.EXCL, {}, { linkInfo: linkInfo(kind) })])
  if (verdict?.errno === EOPNOTSUPP) {
    throw new LinkspanError("KERNEL_FEATURE_MISSING", {
      message: `Cannot ${title}: the kernel has no ${kind} links`,
      hint: `It needs ${KCONFIG[kind]}, built in or as a module (modprobe ${kind === "vlan" ? "8021q" : kind})`,
    })
  }
  if (verdict?.errno === EPERM) {
    throw new LinkspanError("NOT_PERMITTED", {
      message: `Cannot ${title}: the kernel wants CAP_NET_ADMIN`,
      hint: "Run the command as root (sudo)",
    })
  }
}
