// Names that linkspan gives when the user does not. Interface names follow from ids, so that a name seen on the host can
// be found again without asking anybody.

import { type Id, type Ifname, parseIfname } from "#model/name.ts"

/** "ls-" and ten of the id's twelve digits: the two characters left of the kernel's fifteen number further bridges. */
export function bridgeIfname(network: Id, index = 0): Ifname {
  return ifname(`ls-${network.slice(0, 10)}${index === 0 ? "" : `-${index.toString(36)}`}`)
}

/** The end of the cable that stays with the host; the whole id fits. */
export function hostIfname(endpoint: Id): Ifname {
  return ifname(`lv-${endpoint}`)
}

/** The other end, while it waits in the host's namespace to be plugged in by another program. */
export function looseEnd(endpoint: Id): Ifname {
  return ifname(`lc-${endpoint}`)
}

/** The first of eth0, eth1, … that the container does not have. */
export function containerIfname(prefix: string, taken: Iterable<string>): Ifname {
  const names = new Set(taken)
  let number = 0
  while (names.has(`${prefix}${number}`)) {
    number++
  }
  return ifname(`${prefix}${number}`)
}

function ifname(text: string): Ifname {
  const name = parseIfname(text)
  if (name === undefined) {
    throw new RangeError(`"${text}" is not an interface name`)
  }
  return name
}

/** Sixty-four of each; a random byte picks evenly. */
const MANNERS = `
  able airy bold brave brief bright brisk calm clear clever cool cosy crisp deep dry eager early easy even
  fair fast fine firm fleet free fresh glad gold good grand great green happy hardy keen kind late light
  lively loud lucky merry mild neat new nimble noble old plain proud quick quiet rapid ready red sharp silver
  sleek smart steady still sunny swift warm
`

const THINGS = `
  anchor ark barge bay beacon boat bow brig buoy cabin canal canoe cape coast cog coral cove crane cutter deck
  delta dock dory ferry fjord fleet galley gull harbor helm hull isle jetty junk kayak keel ketch knot lagoon
  lock mast oar pier pilot port prow punt quay raft reef rudder sail shore skiff sloop spar stern strait tide
  tug wake wave wharf yawl
`

/** "calm-gull-3f9a". @param random at least four random bytes; 28 bits of them are used. */
export function containerName(random: Uint8Array): string {
  const [manner = 0, thing = 0, high = 0, low = 0] = random
  const number = ((high << 8) | low).toString(16).padStart(4, "0")
  return `${wordOf(MANNERS, manner)}-${wordOf(THINGS, thing)}-${number}`
}

function wordOf(list: string, random: number): string {
  const words = list.trim().split(/\s+/)
  return words[random % words.length] ?? ""
}
