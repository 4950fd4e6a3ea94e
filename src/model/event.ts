// What has happened on a host: told by every command that changed something, and by who watches the kernel.

/** A port of the host and where it leads: "tcp 8080 → 80", "udp 192.0.2.1:53 → 53". */
type PortText = string

export type Happening =
  | { readonly kind: "network-created" | "network-changed" | "network-removed"; readonly network: string }
  | { readonly kind: "attached" | "detached"; readonly container: string }
  | {
      readonly kind: "connected" | "disconnected"
      readonly container: string
      readonly network: string
      readonly addresses: readonly string[]
    }
  | { readonly kind: "published" | "unpublished"; readonly container: string; readonly ports: readonly PortText[] }
  /** Something of linkspan's was damaged, and is as it should be again. */
  | { readonly kind: "healed"; readonly problem: string; readonly by?: string }
  /** The same where it is not: it cannot be mended, or somebody damages it again and again. */
  | { readonly kind: "damaged"; readonly problem: string; readonly reason: string }
  /** A link of linkspan's, or one that a network stands on; not by a command of linkspan's. */
  | { readonly kind: "link-up" | "link-down"; readonly ifname: string }
  /** Packets that linkspan's own rules refused since the last time it was told. */
  | { readonly kind: "refused"; readonly reason: string; readonly packets: number }

export type EventKind = Happening["kind"]

export type Event = Happening & {
  /** Ascending; where to go on from. */
  readonly cursor: number
  /** ISO 8601. */
  readonly time: string
}
