// Records of tracepoints on every CPU, by perf_event_open(2): the descriptors and their memory are all there is, so the
// kernel takes everything back when the process ends, however it ends.

import { type Pointer, toArrayBuffer } from "bun:ffi"
import { closeFile, readFile } from "../file.ts"
import { callFunction, int32, libcFunction } from "../libc.ts"
import { check, cString, syscall } from "../syscall.ts"

// <linux/perf_event.h>
const PERF_TYPE_TRACEPOINT = 2
const SIZEOF_ATTR = 64 // PERF_ATTR_SIZE_VER0
const PERF_SAMPLE_TID_TIME_RAW = (1 << 1) | (1 << 2) | (1 << 10)
const PERF_FLAG_FD_CLOEXEC = 8
const PERF_EVENT_IOC_SET_OUTPUT = 0x2405
const PERF_EVENT_IOC_SET_FILTER = 0x40082406
const PERF_RECORD_SAMPLE = 9
// struct perf_event_mmap_page
const DATA_HEAD = 1024
const DATA_TAIL = 1032
const DATA_OFFSET = 1040

const PROT_READ_WRITE = 3
const MAP_SHARED = 1
const RING_BYTES = 1 << 18

export interface EventSource {
  readonly id: number
  /** Which records are wanted, in the kernel's own language (Documentation/trace/events.rst, "Event filtering"). */
  readonly filter?: string
}

export interface PerfRecord {
  /** The thread in whose time it happened, which need not be whom it is about. */
  readonly tid: number
  readonly nanoseconds: bigint
  /** As the tracepoint's format says. */
  readonly data: DataView
}

interface Ring {
  readonly fds: readonly number[]
  readonly address: number
  readonly bytes: number
  readonly view: DataView
}

export class PerfRings implements Disposable {
  readonly #rings: Ring[] = []

  /** @throws SystemCallError EACCES, EPERM without CAP_PERFMON */
  constructor(sources: readonly EventSource[]) {
    using opened = new DisposableStack()
    for (const cpu of onlineCpus(String(readFile("/sys/devices/system/cpu/online")))) {
      const ring = openRing(sources, cpu)
      opened.defer(() => closeRing(ring))
      this.#rings.push(ring)
    }
    opened.move()
  }

  [Symbol.dispose](): void {
    for (const ring of this.#rings.splice(0)) {
      closeRing(ring)
    }
  }

  /** Readable when there is something new. */
  get descriptors(): readonly number[] {
    return this.#rings.flatMap(({ fds }) => fds.slice(0, 1))
  }

  /** What has been recorded since the last call, in the order of time. */
  drain(): PerfRecord[] {
    return this.#rings.flatMap(drainRing).toSorted((a, b) => (a.nanoseconds < b.nanoseconds ? -1 : 1))
  }
}

function openRing(sources: readonly EventSource[], cpu: number): Ring {
  using opened = new DisposableStack()
  const fds: number[] = []
  for (const { id, filter } of sources) {
    const fd = check("perf_event_open", syscall("perf_event_open", attributes(id), -1, cpu, -1, PERF_FLAG_FD_CLOEXEC))
    opened.defer(() => closeFile(fd))
    if (filter !== undefined) {
      check("ioctl", syscall("ioctl", fd, PERF_EVENT_IOC_SET_FILTER, cString(filter)))
    }
    fds.push(fd)
  }
  const [first = -1, ...others] = fds
  const bytes = int32(callFunction(libcFunction("getpagesize"))) + RING_BYTES
  const address = syscall("mmap", 0, bytes, PROT_READ_WRITE, MAP_SHARED, first, 0)
  check("mmap", address)
  opened.defer(() => syscall("munmap", address, bytes))
  for (const fd of others) {
    check("ioctl", syscall("ioctl", fd, PERF_EVENT_IOC_SET_OUTPUT, first))
  }
  opened.move()
  return { fds, address, bytes, view: new DataView(toArrayBuffer(address as Pointer, 0, bytes)) }
}

function closeRing({ fds, address, bytes }: Ring): void {
  syscall("munmap", address, bytes)
  for (const fd of fds) {
    closeFile(fd)
  }
}

/** struct perf_event_attr: every record, and readers woken by each. */
function attributes(id: number): Uint8Array {
  const attr = new DataView(new ArrayBuffer(SIZEOF_ATTR))
  attr.setUint32(0, PERF_TYPE_TRACEPOINT, true)
  attr.setUint32(4, SIZEOF_ATTR, true)
  attr.setBigUint64(8, BigInt(id), true)
  attr.setBigUint64(16, 1n, true)
  attr.setBigUint64(24, BigInt(PERF_SAMPLE_TID_TIME_RAW), true)
  attr.setUint32(48, 1, true)
  return new Uint8Array(attr.buffer)
}

function drainRing({ view }: Ring): PerfRecord[] {
  const start = Number(view.getBigUint64(DATA_OFFSET, true))
  const head = Number(view.getBigUint64(DATA_HEAD, true))
  let tail = Number(view.getBigUint64(DATA_TAIL, true))
  const records: PerfRecord[] = []
  while (tail < head) {
    const header = copied(view, start, tail, 8)
    const size = header.getUint16(6, true)
    if (header.getUint32(0, true) === PERF_RECORD_SAMPLE) {
      const record = copied(view, start, tail, size)
      records.push({
        tid: record.getUint32(12, true),
        nanoseconds: record.getBigUint64(16, true),
        data: new DataView(record.buffer, 28, record.getUint32(24, true)),
      })
    }
    tail += size
  }
  view.setBigUint64(DATA_TAIL, BigInt(tail), true)
  return records
}

/** Out of the ring, whose end may be in the middle of it. */
function copied(view: DataView, start: number, from: number, length: number): DataView {
  const bytes = new Uint8Array(length)
  const at = from % RING_BYTES
  const first = Math.min(length, RING_BYTES - at)
  bytes.set(new Uint8Array(view.buffer, start + at, first))
  bytes.set(new Uint8Array(view.buffer, start, length - first), first)
  return new DataView(bytes.buffer)
}

/** "0-3,8" */
export function onlineCpus(text: string): number[] {
  return text
    .trim()
    .split(",")
    .flatMap((range) => {
      const [first = 0, last = first] = range.split("-").map(Number)
      return Array.from({ length: last - first + 1 }, (_, index) => first + index)
    })
}
