// What `linkspan doctor` finds.

export type FindingLevel = "ok" | "note" | "warning" | "error"

export interface Finding {
  /** What was looked at: "kernel", "settings", "firewall", "mtu", "overlap", "leftovers", "docker", "canary". */
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
  /** Docker's API socket, which is asked for the networks that it made here; /run/docker.sock when absent. */
  readonly docker?: string
  /** With everything that a bug report needs. */
  readonly bundle?: boolean
}

export interface Diagnosis {
  /** What was repaired, a sentence each. */
  readonly repairs: readonly string[]
  readonly findings: readonly Finding[]
  readonly bundle?: Readonly<Record<string, unknown>>
}
