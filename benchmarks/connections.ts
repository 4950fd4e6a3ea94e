// bun connections.ts serve PORT | bun connections.ts rate ADDRESS PORT SECONDS

import { cc } from "bun:ffi"

const { symbols } = cc({
  source: `${import.meta.dir}/connections.c`,
  symbols: {
    serve: { args: ["int"], returns: "int" },
    rate: { args: ["u32", "int", "double"], returns: "double" },
  },
})

/** The address as the four bytes that a sockaddr_in holds, read as a little-endian word. */
function word(address: string): number {
  return Buffer.from(address.split(".").map(Number)).readUInt32LE()
}

const [mode, ...args] = process.argv.slice(2)
if (mode === "serve") {
  symbols.serve(Number(args[0]))
  throw new Error("cannot listen")
}
console.log(symbols.rate(word(args[0] ?? ""), Number(args[1]), Number(args[2])))
