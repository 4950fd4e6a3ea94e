import { describe, expect, test } from "bun:test"
import type { Ip } from "#inet/ip.ts"
import { SharedLine } from "./shared-line.ts"
import { SharedLines } from "./shared-lines.ts"
import type { Line, LineEvents } from "./upstream-line.ts"

const SERVER = "127.0.0.24" as Ip
const PORT = 20_000 + (process.pid % 20_000)

function query(id: number): Uint8Array {
  return Uint8Array.of(id >> 8, id, ...new Array<number>(10).fill(0))
}

const unheard: LineEvents = { message: () => expect.unreachable(), failure: () => expect.unreachable() }

describe("SharedLines.ask()", () => {
  test("goes by chance over eight sockets, and by none for more than 64 questions", async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const byPort = new Map<number, number>()
    let seen = 0
    const server = await Bun.udpSocket({
      hostname: SERVER,
      port: PORT,
      socket: {
        data(socket, bytes, port, address) {
          byPort.set(port, (byPort.get(port) ?? 0) + 1)
          socket.send(bytes, port, address)
          if (++seen === 1000) {
            resolve()
          }
        },
      },
    })
    using lines = new SharedLines({ port: PORT })
    const ask = (id: number): Promise<void> =>
      new Promise((done) => {
        const end = lines.ask(SERVER, query(id), {
          ...unheard,
          message: (bytes) => {
            expect(bytes[1]).toBe(id & 0xff)
            end()
            done()
          },
        })
      })
    for (let id = 0; id < 1000; id += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, n) => ask(id + n)))
    }
    await promise
    expect(Math.max(...byPort.values())).toBeLessThanOrEqual(64)
    expect(byPort.size).toBeGreaterThanOrEqual(1000 / 64)
    expect(byPort.size).toBeLessThan(100)
    server.close()
  })

  test("fails all questions to a server that is not there", async () => {
    using lines = new SharedLines({ port: PORT })
    const failures = Array.from(
      { length: 20 },
      (_, id) => new Promise<void>((failure) => lines.ask(SERVER, query(id), { ...unheard, failure })),
    )
    await Promise.all(failures)
  })
})

describe("SharedLine", () => {
  function scene(questions: number) {
    const log: string[] = []
    let events: LineEvents | undefined
    const line: Line = {
      send: (message) => log.push(`sent ${message[1]}`),
      [Symbol.dispose]: () => log.push("closed"),
    }
    const shared = new SharedLine(
      (given) => {
        events = given
        return Promise.resolve(line)
      },
      { questions, onEnd: () => log.push("ended") },
    )
    return { shared, log, said: (id: number) => events?.message(query(id)), fails: () => events?.failure() }
  }

  test("takes an id once at a time, and tells answers apart", async () => {
    const { shared, log, said } = scene(9)
    const heard: string[] = []
    const ends = [1, 2].map((id) =>
      shared.ask(query(id), { ...unheard, message: (bytes) => heard.push(`${id}: ${bytes[1]}`) }),
    )
    expect([1, 2, 3].map((id) => shared.takes(id))).toEqual([false, false, true])
    await Promise.resolve()
    said(2)
    said(3)
    said(1)
    expect(heard).toEqual(["2: 2", "1: 1"])
    ends[0]?.()
    expect(shared.takes(1)).toBe(true)
    expect(log).toEqual(["sent 1", "sent 2"])
  })

  test("closes when its last question is answered, and no sooner", async () => {
    const { shared, log } = scene(2)
    const ends = [1, 2].map((id) => shared.ask(query(id), unheard))
    await Promise.resolve()
    ends[1]?.()
    expect(log).toEqual(["ended", "sent 1", "sent 2"])
    ends[0]?.()
    expect(log).toEqual(["ended", "sent 1", "sent 2", "closed"])
  })

  test("tells everybody when nothing more will come", async () => {
    const { shared, log, fails } = scene(9)
    const heard: number[] = []
    for (const id of [1, 2]) {
      shared.ask(query(id), { ...unheard, failure: () => heard.push(id) })
    }
    await Promise.resolve()
    fails()
    expect(heard).toEqual([1, 2])
    expect(log).toEqual(["sent 1", "sent 2", "ended", "closed"])
  })
})
