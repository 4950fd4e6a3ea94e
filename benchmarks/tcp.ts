// bun tcp.ts SERVER_NETNS SERVER_PORT ADDRESS PORT SECONDS: see tcp.c. The client's namespace is the one that this is
// started in. A process of its own, because its thread looks into another namespace. Prints {stream, connections}.

import { cc } from "bun:ffi"

const { symbols } = cc({
  source: `${import.meta.dir}/tcp.c`,
  symbols: {
    serve: { args: ["cstring", "int"], returns: "int" },
    connections: { args: ["int", "int", "int", "double"], returns: "double" },
    stream: { args: ["int", "int", "int", "double"], returns: "double" },
  },
})

/** The address as the four bytes that a sockaddr_in holds, read as a little-endian word. */
function word(address: string): number {
  return Buffer.from(address.split(".").map(Number)).readInt32LE()
}

const [netns = "", serverPort, address = "", port, seconds] = process.argv.slice(2)
const listener = symbols.serve(Buffer.from(`${netns}\0`), Number(serverPort))
if (listener < 0) {
  throw new Error(`cannot listen on port ${serverPort} in ${netns}`)
}
// Not by way of an array: next to a fraction, JavaScript holds integers as doubles too, and these reach C as the low half
// of the double (Bun 1.4.5).
const to = word(address)
const at = Number(port)
const span = Number(seconds)
const rates = {
  stream: symbols.stream(listener, to, at, span),
  connections: symbols.connections(listener, to, at, span),
}
if (!(rates.stream > 0 && rates.connections > 0)) {
  throw new Error(`no connection to ${address}:${port}: ${JSON.stringify(rates)}`)
}
console.log(JSON.stringify(rates))
