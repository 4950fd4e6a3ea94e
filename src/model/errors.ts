// Every failure a user can meet has one code here; what each front door makes of a code is looked up in one table.
// docs/errors.md lists the same table and a test keeps them equal.

/** What one code means at each front door. `exit` is the CLI's status, `http` the API's, `retry` whether the same call may succeed later. */
interface Meaning {
  readonly exit: number
  readonly http: number
  readonly retry: boolean
  readonly summary: string
}

export const ERROR_CODES = {
  INVALID_REQUEST: {
    exit: 2,
    http: 400,
    retry: false,
    summary: "The request has one or more mistakes; all are listed",
  },
  NETWORK_NOT_FOUND: { exit: 3, http: 404, retry: false, summary: "No network has that name or id" },
  CONTAINER_NOT_FOUND: { exit: 3, http: 404, retry: false, summary: "No container has that name or id" },
  ENDPOINT_NOT_FOUND: { exit: 3, http: 404, retry: false, summary: "The container is not on that network" },
  POOL_NOT_FOUND: { exit: 3, http: 404, retry: false, summary: "No reserved address pool has that id" },
  PUBLICATION_NOT_FOUND: { exit: 3, http: 404, retry: false, summary: "The container does not publish that port" },
  NETNS_NOT_FOUND: { exit: 3, http: 404, retry: false, summary: "There is no network namespace at that place" },
  LINK_NOT_FOUND: { exit: 3, http: 404, retry: false, summary: "The host has no interface of that name" },
  COMMAND_NOT_FOUND: {
    exit: 127,
    http: 404,
    retry: false,
    summary: "The program to run does not exist in the root filesystem",
  },
  COMMAND_NOT_EXECUTABLE: { exit: 126, http: 400, retry: false, summary: "The program to run cannot be executed" },
  NAME_IN_USE: { exit: 5, http: 409, retry: false, summary: "Another object already has that name" },
  ALREADY_CONNECTED: { exit: 5, http: 409, retry: false, summary: "The container is on that network already" },
  SUBNET_IN_USE: {
    exit: 5,
    http: 409,
    retry: false,
    summary: "The subnet overlaps a network, address or route of this host",
  },
  ADDRESS_IN_USE: { exit: 5, http: 409, retry: false, summary: "The address is leased or reserved" },
  MAC_IN_USE: { exit: 5, http: 409, retry: false, summary: "Another container of the network has that MAC address" },
  PORT_IN_USE: { exit: 5, http: 409, retry: false, summary: "The host port is published or has a listener" },
  LINK_EXISTS: { exit: 5, http: 409, retry: false, summary: "An interface of that name exists already" },
  NETNS_EXISTS: { exit: 5, http: 409, retry: false, summary: "A network namespace of that name exists already" },
  HOST_IN_USE: { exit: 5, http: 409, retry: false, summary: "The host's networks belong to another state directory" },
  NETWORK_IN_USE: { exit: 5, http: 409, retry: false, summary: "Containers are still connected to the network" },
  CONTAINER_RUNNING: { exit: 5, http: 409, retry: false, summary: "The container is running" },
  CONTAINER_NOT_RUNNING: { exit: 5, http: 409, retry: false, summary: "The container is not running" },
  DAEMON_LOST: {
    exit: 6,
    http: 503,
    retry: true,
    summary: "The resident process ended in the middle of the command; nobody can say how far it came",
  },
  BUSY: { exit: 6, http: 409, retry: true, summary: "Another command is changing the same object" },
  POOL_EXHAUSTED: { exit: 7, http: 507, retry: true, summary: "No free subnet, address, port or bridge port is left" },
  NO_LEASE: { exit: 7, http: 504, retry: true, summary: "No DHCP server lends the container an address" },
  NOT_PERMITTED: { exit: 8, http: 403, retry: false, summary: "Root or a capability is missing" },
  KERNEL_FEATURE_MISSING: {
    exit: 9,
    http: 501,
    retry: false,
    summary: "The kernel was built without something that this needs",
  },
  LIBRARY_MISSING: { exit: 9, http: 501, retry: false, summary: "libnftables is not installed" },
  NOT_SUPPORTED: {
    exit: 9,
    http: 501,
    retry: false,
    summary: "linkspan does not do this for that kind of network or container",
  },
  STATE_UNUSABLE: { exit: 10, http: 500, retry: false, summary: "The state directory or database cannot be used" },
  KERNEL_REFUSED: {
    exit: 11,
    http: 500,
    retry: false,
    summary: "The kernel refused an operation; everything was undone",
  },
  CLEANUP_INCOMPLETE: {
    exit: 12,
    http: 500,
    retry: true,
    summary: "Some parts could not be removed; the next command tries again",
  },
  INTERNAL: { exit: 70, http: 500, retry: false, summary: "A bug in linkspan; please report it" },
} as const satisfies Record<string, Meaning>

export type ErrorCode = keyof typeof ERROR_CODES

/** One mistake in a request. `path` is the option or field as the user wrote it: "--subnet", "publish[1].hostPort". */
export interface Issue {
  readonly path: string
  readonly message: string
}

export interface ErrorOptions {
  /** "Cannot <verb> <noun> "<name>": <reason>", no full stop. */
  readonly message: string
  /** What to do next. */
  readonly hint?: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly issues?: readonly Issue[]
  readonly cause?: unknown
}

/** A failure that is not a bug: the user, the host or the kernel says no. Nothing has changed when it is thrown, unless its code says otherwise. */
export class LinkspanError extends Error {
  override readonly name: string = "LinkspanError"
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>>
  readonly issues: readonly Issue[]

  constructor(code: ErrorCode, options: ErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.details = options.details ?? {}
    this.issues = options.issues ?? []
  }

  get exit(): number {
    return ERROR_CODES[this.code].exit
  }

  get retry(): boolean {
    return ERROR_CODES[this.code].retry
  }

  toJSON(): Record<string, unknown> {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.issues.length === 0 ? {} : { issues: this.issues }),
      ...(Object.keys(this.details).length === 0 ? {} : { details: this.details }),
    }
  }
}

/** @throws LinkspanError INVALID_REQUEST with every issue, when there is one. */
export function refuseIssues(message: string, issues: readonly Issue[]): void {
  if (issues.length > 0) {
    throw new LinkspanError("INVALID_REQUEST", { message, issues })
  }
}

/** Marks a place that no value can reach; the compiler proves it, and a bug that gets there says so. */
export function unreachable(value: never): never {
  throw new LinkspanError("INTERNAL", {
    message: `Internal error: unexpected value ${JSON.stringify(value)}`,
    hint: "This is a bug in linkspan; please report it with the command that led here",
  })
}
