// Compiles the C of src for every architecture and writes its machine code into TypeScript beside it.
// Run after changing a .c file: `bun scripts/build-native.ts` (Debian: gcc, binutils, gcc-aarch64-linux-gnu).
// The tests beside them fail when the two do not belong together.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { $ } from "bun"
import { OUTPUT_FAILED } from "../src/frontends/cli/report.ts"
import { versionAnswer } from "../src/frontends/cni/versions.ts"
import { LOST_MARK } from "../src/model/call.ts"
import { ERROR_CODES } from "../src/model/errors.ts"

interface Unit {
  readonly source: string
  readonly entries: readonly string[]
  /** The text of the module, with the machine code by architecture. */
  readonly module: (code: Readonly<Record<string, Compiled>>) => string
}

interface Compiled {
  readonly compiler: string
  readonly base64: string
  readonly entries: Readonly<Record<string, number>>
}

const UNITS: readonly Unit[] = [
  {
    source: "src/kernel/native.c",
    entries: ["invoke", "run", "spawn", "init", "forward", "restore"],
    module: (code) =>
      "// Made by scripts/build-native.ts from native.c; do not edit. Machine code, so that users need no compiler and no\n" +
      "// start pays for one.\n\n" +
      `export const SOURCE_SHA256 = "${hashOf("src/kernel/native.c")}"\n\n` +
      table("NATIVE_CODE", code, ({ entries }) => {
        const offsets = Object.entries(entries).map(([name, offset]) => `${name}: ${offset}`)
        return `entries: { ${offsets.join(", ")} }`
      }),
  },
  {
    source: "src/frontends/handover/client.c",
    entries: ["start"],
    module: (code) =>
      "// Made by scripts/build-native.ts from client.c; do not edit. scripts/executable.ts puts it into the executable.\n\n" +
      `export const SOURCE_SHA256 = "${hashOf("src/frontends/handover/client.c")}"\n\n` +
      table("CLIENT_CODE", code, ({ entries }) => `entry: ${entries["start"]}`),
  },
]

/** What the C shares with the TypeScript. */
const DEFINED: Readonly<Record<string, string | number>> = {
  VERSION_ANSWER: versionAnswer(),
  LOST_NAME: LOST_MARK.name,
  LOST_MARK: `${LOST_MARK.name}=${LOST_MARK.value}`,
  OUTPUT_FAILED: OUTPUT_FAILED.exit,
  DAEMON_LOST: ERROR_CODES.DAEMON_LOST.exit,
}

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
  "-Wl,-e0",
]
const ARCHITECTURES = [
  { name: "x64", prefix: "", flags: ["-fcf-protection=none", "-mgeneral-regs-only", "-mno-red-zone"] },
  { name: "arm64", prefix: "aarch64-linux-gnu-", flags: ["-mgeneral-regs-only", "-mno-outline-atomics"] },
]

/** Constants lie behind the code, in the one section that is shipped. */
const LAYOUT = "SECTIONS { .text 0 : { *(.text.entry) *(.text .text.*) *(.rodata .rodata.*) } }\n"

const ROOT = join(import.meta.dir, "..")

function hashOf(source: string): string {
  return new Bun.CryptoHasher("sha256").update(readFileSync(join(ROOT, source))).digest("hex")
}

function table(
  name: string,
  code: Readonly<Record<string, Compiled>>,
  entries: (compiled: Compiled) => string,
): string {
  const rows = Object.entries(code).map(
    ([architecture, compiled]) =>
      `  // ${compiled.compiler}\n  ${architecture}: {\n    ${entries(compiled)},\n    base64:\n      "${compiled.base64}",\n  },\n`,
  )
  return `export const ${name} = {\n${rows.join("")}} as const\n`
}

async function compile(directory: string, unit: Unit, arch: (typeof ARCHITECTURES)[number]): Promise<Compiled> {
  const elf = join(directory, arch.name)
  const [header, layout] = [join(directory, "defined.h"), join(directory, "layout.ld")]
  writeFileSync(layout, LAYOUT)
  writeFileSync(
    header,
    Object.entries(DEFINED)
      .map(([name, value]) => `#define ${name} ${JSON.stringify(value)}\n`)
      .join(""),
  )
  await $`${arch.prefix}gcc ${FLAGS} ${arch.flags} -include ${header} -Wl,-T,${layout} -o ${elf} ${join(ROOT, unit.source)}`
  const sections = await $`${arch.prefix}size -A -d ${elf}`.text()
  for (const [, name, size] of sections.matchAll(/^(\.\S+)\s+(\d+)/gm)) {
    if (name !== ".text" && name !== ".comment" && size !== "0") {
      throw new Error(`${arch.name}: section ${name} has ${size} bytes, but only .text can be shipped`)
    }
  }
  const symbols = await $`${arch.prefix}nm ${elf}`.text()
  const entries = unit.entries.map((entry) => {
    const address = new RegExp(`^([0-9a-f]+) [tT] ${entry}$`, "m").exec(symbols)?.[1]
    if (address === undefined) {
      throw new Error(`${arch.name}: no function ${entry}`)
    }
    return [entry, Number.parseInt(address, 16)] as const
  })
  await $`${arch.prefix}objcopy -O binary -j .text ${elf} ${elf}.bin`
  return {
    compiler: (await $`${arch.prefix}gcc --version`.text()).split("\n")[0] ?? "",
    base64: readFileSync(`${elf}.bin`).toString("base64"),
    entries: Object.fromEntries(entries),
  }
}

const directory = mkdtempSync(join(tmpdir(), "linkspan-native-"))
try {
  for (const unit of UNITS) {
    const code: Record<string, Compiled> = {}
    for (const arch of ARCHITECTURES) {
      code[arch.name] = await compile(directory, unit, arch)
    }
    const target = join(ROOT, unit.source.replace(/\.c$/, "-code.ts"))
    writeFileSync(target, unit.module(code))
    console.error(basename(target))
  }
} finally {
  rmSync(directory, { recursive: true })
}
