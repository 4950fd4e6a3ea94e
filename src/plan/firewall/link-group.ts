// How the rules know a container's cable: by the link group (ip-link(8)) that every link of linkspan's has from the
// moment of its creation.

/** "lnks" in ASCII. */
export const LINK_GROUP = 0x6c6e6b73
