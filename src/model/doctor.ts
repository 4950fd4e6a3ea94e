// What `linkspan doctor` finds.

export type FindingLevel = "ok" | "note" | "warning" | "error"

export interface Finding {
  /** What was looked at: "kernel", "settings", "firewall", "mtu", "overlap", "leftovers", "canary". */
  readonly check: string
  readonly level: FindingLevel
  /** A sentence without a full stop. */
  readonly what: string
  /** What to type next. */
  readonly remedy?: string
}

export interface DoctorRequest {
  /** Repair what is linkspan's first. */
  readonly fix?: boolean
  /** False: no canaries, which join every network for a moment. */
  readonly canaries?: boolean
  /** With everything that a bug report needs. */
  readonly bundle?: boolean
}

export interface Diagnosis {
  /** What was repaired, a sentence each. */
  readonly repairs: readonly string[]
  readonly findings: readonly Finding[]
  readonly bundle?: Readonly<Record<string, unknown>>
}
