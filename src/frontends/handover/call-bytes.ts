// A call and its answer as bytes, in the machine's byte order: client.c writes the one and reads the other.
//
//   call    "CALL" size pid argCount variableCount inputSize   (u32 each)   door directory arg… NAME=value… (NUL-ended)   input
//   answer  status (i32)   outSize errSize (u32)   out err

import type { Call, CallAnswer } from "#model/call.ts"

/** A request of a thousand ports is a hundredth of this. */
export const LONGEST_CALL = 4 << 20

const KIND = "CALL"
const HEAD = 24
const ANSWER_HEAD = 12
const DECLINED = -1

/** How many bytes the call has whose beginning this is; undefined while that cannot be told. @throws Error when it is none */
export function sizeOfCall(begin: Buffer): number | undefined {
  if (!KIND.startsWith(begin.toString("latin1", 0, KIND.length))) {
    throw new Error("this is no call")
  }
  if (begin.length < HEAD) {
    return undefined
  }
  const size = begin.readUInt32LE(4)
  if (size < HEAD || size > LONGEST_CALL) {
    throw new Error(`a call has ${HEAD} to ${LONGEST_CALL} bytes, not ${size}`)
  }
  return size
}

/** @throws Error when its parts do not fill it */
export function decodeCall(bytes: Buffer): Call {
  const [pid = 0, argCount = 0, variableCount = 0, inputSize = 0] = [8, 12, 16, 20].map((at) => bytes.readUInt32LE(at))
  const textEnd = bytes.length - inputSize
  const strings = textEnd > HEAD ? bytes.toString("utf8", HEAD, textEnd).split("\0") : []
  // The last one ends with a NUL too.
  if (strings.length !== 2 + argCount + variableCount + 1 || strings.at(-1) !== "") {
    throw new Error("a call's strings are not as many as it says")
  }
  const [door = "", directory = "", ...others] = strings.slice(0, -1)
  return {
    pid,
    door,
    directory,
    args: others.slice(0, argCount),
    env: Object.fromEntries(others.slice(argCount).map(variable)),
    input: bytes.toString("utf8", textEnd),
  }
}

function variable(text: string): [string, string] {
  const at = text.indexOf("=")
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)]
}

export function encodeAnswer(answer: CallAnswer): Buffer {
  const [status, out, err] =
    "declined" in answer ? [DECLINED, "", answer.declined] : [answer.status, answer.out, answer.err]
  const [outBytes, errBytes] = [Buffer.from(out), Buffer.from(err)]
  const head = Buffer.alloc(ANSWER_HEAD)
  head.writeInt32LE(status, 0)
  head.writeUInt32LE(outBytes.length, 4)
  head.writeUInt32LE(errBytes.length, 8)
  return Buffer.concat([head, outBytes, errBytes])
}
