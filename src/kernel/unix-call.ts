// One question to a server on this machine and its answer, on the JavaScript thread and by system calls alone: a command
// that asks one thing need not load a runtime's sockets for it.

import { closeFile, O_DIRECTORY, O_PATH, openFile } from "./file.ts"
import { AF_UNIX, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_STREAM, unixAddress } from "./socket-address.ts"
import { check, hasFailed, syscall } from "./syscall.ts"

const SOL_SOCKET = 1
const SO_RCVTIMEO = 20
const SO_SNDTIMEO = 21
const LONGEST_ANSWER = 65_536

/**
 * Sends the line and gives what the server says until it closes the connection; undefined when it cannot be reached or
 * says nothing in time.
 * @param name of the socket, in the directory: together they may be longer than a socket's address can be
 */
export function askServer(
  directory: string,
  name: string,
  question: { readonly line: string; readonly timeoutMs: number },
): string | undefined {
  const place = openFile(directory, O_PATH | O_DIRECTORY)
  if (hasFailed(place)) {
    return undefined
  }
  const socket = syscall("socket", AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)
  try {
    check("socket", socket)
    const timeout = new BigInt64Array([
      BigInt(Math.floor(question.timeoutMs / 1000)),
      BigInt((question.timeoutMs % 1000) * 1000),
    ])
    for (const option of [SO_RCVTIMEO, SO_SNDTIMEO]) {
      check("setsockopt", syscall("setsockopt", socket, SOL_SOCKET, option, timeout, timeout.byteLength))
    }
    const address = unixAddress(`/proc/self/fd/${place}/${name}`)
    const line = Buffer.from(`${question.line}\n`)
    if (
      hasFailed(syscall("connect", socket, address, address.length)) ||
      hasFailed(syscall("sendto", socket, line, line.length, MSG_NOSIGNAL, 0, 0))
    ) {
      return undefined
    }
    return answerOf(socket)
  } finally {
    closeFile(place)
    closeFile(socket)
  }
}

function answerOf(socket: number): string | undefined {
  const chunks: Buffer[] = []
  for (let length = 0; length < LONGEST_ANSWER; ) {
    const chunk = Buffer.allocUnsafe(4096)
    const got = syscall("recvfrom", socket, chunk, chunk.length, 0, 0, 0)
    if (hasFailed(got)) {
      return undefined
    }
    if (got === 0) {
      break
    }
    chunks.push(chunk.subarray(0, got))
    length += got
  }
  return chunks.length === 0 ? undefined : Buffer.concat(chunks).toString()
}
