// The kernel's tracepoints, as their format files describe them (Documentation/trace/events.rst). tracefs is mounted for
// the moment of reading and nowhere in the tree of files (fsopen(2)): a system without it needs none, and nothing is left.

import { closeFile, O_CLOEXEC, O_RDONLY, readAll } from "../file.ts"
import { check, cString, syscall } from "../syscall.ts"

const FSOPEN_CLOEXEC = 1
const FSCONFIG_CMD_CREATE = 6
const FSMOUNT_CLOEXEC = 1

export interface Tracepoint {
  readonly id: number
  /** Of a field of a record. */
  readonly offsets: ReadonlyMap<string, number>
  /** Names of a field's numbers, where the kernel prints it by name. */
  readonly symbols: ReadonlyMap<number, string>
}

/** @param names as "skb/kfree_skb". @throws SystemCallError */
export function readTracepoints(names: readonly string[]): Tracepoint[] {
  using opened = new DisposableStack()
  const keep = (fd: number): number => {
    opened.defer(() => closeFile(fd))
    return fd
  }
  const context = keep(check("fsopen", syscall("fsopen", cString("tracefs"), FSOPEN_CLOEXEC)))
  check("fsconfig", syscall("fsconfig", context, FSCONFIG_CMD_CREATE, 0, 0, 0))
  const mount = keep(check("fsmount", syscall("fsmount", context, FSMOUNT_CLOEXEC, 0)))
  return names.map((name) => {
    const path = cString(`events/${name}/format`)
    return parseFormat(readAll(keep(check("openat", syscall("openat", mount, path, O_RDONLY | O_CLOEXEC)))))
  })
}

export function parseFormat(text: string): Tracepoint {
  const [head = "", print = ""] = text.split("\nprint fmt: ", 2)
  const fields = head.matchAll(/\bfield:[^;]*?(\w+)(?:\[\w*\])?;\s*offset:(\d+);/g)
  const symbols = print.matchAll(/\{ (\d+), "(\w+)" \}/g)
  return {
    id: Number(head.match(/^ID: (\d+)$/m)?.[1]),
    offsets: new Map([...fields].map(([, name = "", offset]) => [name, Number(offset)])),
    symbols: new Map([...symbols].map(([, number, name = ""]) => [Number(number), name])),
  }
}
