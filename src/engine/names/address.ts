// Where commands and the daemon meet: files in the run directory, which is private, and what is said there.

/** The daemon's socket. */
export const SOCKET = "names.sock"
export const LOG = "names.log"

/**
 * sync: answer when what the store says now is in force. stop: let go of everything, answer, end. status: say what has been
 * done so far, as JSON. A line each; the answer is a line as well, and the connection closes.
 */
export type Request = "sync" | "stop" | "status"
export const DONE = "done"

/** What the daemon is told by its starter in its environment: a descriptor on which one byte says that names are in force. */
export const READY_FD = "LINKSPAN_READY_FD"
