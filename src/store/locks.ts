// What the store needs to be shared by processes: locks on single bytes of one file, which the kernel gives back when
// their holder dies, however it dies (open file description locks, fcntl(2) F_OFD_SETLK). The engine hands them in.
//
//   byte 0       the one writer of the database
//   byte 1       the ruleset: shared to change elements, exclusive to replace it whole (engine/ruleset-lock.ts)
//   byte 2       integrations with foreign packet filters
//   byte 3       the gate to byte 1
//   byte 4       the daemon that answers names (engine/names/)
//   byte 5       the resident process (engine/resident.ts)
//   byte 6       whoever keeps DHCP leases (engine/leases/)
//   byte 16 + n  journal entry n: held by its writer for as long as the entry is alive

export interface Locks extends Disposable {
  /** Takes the byte, waiting for it only when `wait`; false when somebody else has it. */
  lock(byte: number, mode: "shared" | "exclusive", wait: boolean): boolean
  unlock(byte: number): void
}

export const WRITER_BYTE = 0
export const RULESET_BYTE = 1
export const RULESET_GATE_BYTE = 3
export const DAEMON_BYTE = 4
export const RESIDENT_BYTE = 5
export const LEASES_BYTE = 6
const FIRST_JOURNAL_BYTE = 16

export function journalByte(id: number): number {
  return FIRST_JOURNAL_BYTE + id
}
