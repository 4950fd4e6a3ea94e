// Who may do what to the ruleset, and when. Elements come and go under a shared lock; whoever puts the whole ruleset
// there needs it alone. A change holds its share from its first element until it is settled: whoever is alone therefore
// finds that of everything in flight the ruleset still says what it was before, unless the command that did it is dead,
// and then the next one does it again or takes it back.

import { type Locks, RULESET_BYTE, RULESET_GATE_BYTE } from "#store/locks.ts"

export class RulesetLock {
  readonly #locks: Locks
  #isShared = false

  constructor(locks: Locks) {
    this.#locks = locks
  }

  /** Held until {@link release}. */
  share(): void {
    if (!this.#isShared) {
      this.#take("shared")
      this.#isShared = true
    }
  }

  /** Runs `act` while nobody else changes anything. What was shared before is shared again afterwards. */
  alone<T>(act: () => T): T {
    if (this.#isShared) {
      // Two that keep their share while they wait to be alone would wait for each other.
      this.#locks.unlock(RULESET_BYTE)
    }
    this.#take("exclusive")
    try {
      return act()
    } finally {
      if (this.#isShared) {
        // From exclusive to shared without a moment between (fcntl_locking(2)).
        this.#locks.lock(RULESET_BYTE, "shared", true)
      } else {
        this.#locks.unlock(RULESET_BYTE)
      }
    }
  }

  release(): void {
    if (this.#isShared) {
      this.#isShared = false
      this.#locks.unlock(RULESET_BYTE)
    }
  }

  /** Through a gate: the kernel gives out shared locks past one that waits to be alone, which could then wait for ever. */
  #take(mode: "shared" | "exclusive"): void {
    this.#locks.lock(RULESET_GATE_BYTE, "exclusive", true)
    try {
      this.#locks.lock(RULESET_BYTE, mode, true)
    } finally {
      this.#locks.unlock(RULESET_GATE_BYTE)
    }
  }
}
