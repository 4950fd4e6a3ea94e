// Compiles src/kernel/native.c for every architecture and writes its machine code into src/kernel/native-code.ts.
// Run after changing native.c: `bun scripts/build-native.ts` (Debian: gcc, binutils, gcc-aarch64-linux-gnu).
// src/kernel/native-code.test.ts fails when the two do not belong together.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { $ } from "bun"

const SOURCE = new URL("../src/kernel/native.c", import.meta.url).pathname
const TARGET = new URL("../src/kernel/native-code.ts", import.meta.url).pathname
const ENTRIES = ["invoke", "run", "spawn", "init", "forward", "restore"]
const FLAGS = [
  "-std=gnu11",
  "-Os",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-ffreestanding",
  "-fpic",
  "-fvisibility=hidden",
  "-nostdlib",
  "-static",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-fno-unwind-tables",
  "-fno-jump-tables",
  "-fno-tree-loop-distribute-patterns",
  // Functions stay in the order and at the offsets of one section; nothing is merged into or called from elsewhere.
  "-fno-reorder-functions",
  "-fno-toplevel-reorder",
  "-Wl,--build-id=none",
  "-Wl,-Ttext=0",
  "-Wl,-e0",
]
const ARCHITECTURES = [
  { name: "x64", prefix: "", flags: ["-fcf-protection=none", "-mgeneral-regs-only", "-mno-red-zone"] },
  { name: "arm64", prefix: "aarch64-linux-gnu-", flags: ["-mgeneral-regs-only", "-mno-outline-atomics"] },
]

async function compile(directory: string, arch: (typeof ARCHITECTURES)[number]): Promise<string> {
  const elf = join(directory, arch.name)
  await $`${arch.prefix}gcc ${FLAGS} ${arch.flags} -o ${elf} ${SOURCE}`
  const sections = await $`${arch.prefix}size -A -d ${elf}`.text()
  for (const [, name, size] of sections.matchAll(/^(\.\S+)\s+(\d+)/gm)) {
    if (name !== ".text" && name !== ".comment" && size !== "0") {
      throw new Error(`${arch.name}: section ${name} has ${size} bytes, but only .text can be shipped`)
    }
  }
  const symbols = await $`${arch.prefix}nm ${elf}`.text()
  const offsets = ENTRIES.map((entry) => {
    const address = new RegExp(`^([0-9a-f]+) [tT] ${entry}$`, "m").exec(symbols)?.[1]
    if (address === undefined) {
      throw new Error(`${arch.name}: no function ${entry}`)
    }
    return `${entry}: ${Number.parseInt(address, 16)}`
  })
  await $`${arch.prefix}objcopy -O binary -j .text ${elf} ${elf}.bin`
  const compiler = (await $`${arch.prefix}gcc --version`.text()).split("\n")[0]
  const base64 = readFileSync(`${elf}.bin`).toString("base64")
  return `  // ${compiler}\n  ${arch.name}: {\n    entries: { ${offsets.join(", ")} },\n    base64:\n      "${base64}",\n  },\n`
}

const directory = mkdtempSync(join(tmpdir(), "linkspan-native-"))
try {
  const blobs: string[] = []
  for (const arch of ARCHITECTURES) {
    blobs.push(await compile(directory, arch))
  }
  const hash = new Bun.CryptoHasher("sha256").update(readFileSync(SOURCE)).digest("hex")
  writeFileSync(
    TARGET,
    `// Made by scripts/build-native.ts from native.c; do not edit. Machine code, so that users need no compiler and no\n` +
      `// start pays for one.\n\n` +
      `export const SOURCE_SHA256 = "${hash}"\n\n` +
      `export const NATIVE_CODE = {\n${blobs.join("")}} as const\n`,
  )
} finally {
  rmSync(directory, { recursive: true })
}
