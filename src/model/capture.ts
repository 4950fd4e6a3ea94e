import type { Protocol } from "#inet/port.ts"

export interface CaptureRequest {
  readonly container: string
  /** Only packets from and to it. */
  readonly port?: number
  /** With a port: of this protocol alone. */
  readonly protocol?: Protocol
  /** Inside the container; all but the loopback interface when absent. */
  readonly ifname?: string
  /** So much of each packet is kept; 262,144 bytes when absent. */
  readonly snapBytes?: number
  /** Ends after so many. */
  readonly packets?: number
}
