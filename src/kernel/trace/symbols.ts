// Names of the kernel's functions. /proc/kallsyms has them all, as text of megabytes, and says nothing but zeros to whom
// kernel.kptr_restrict keeps them from.

import { readFile } from "../file.ts"

export function functionAt(address: bigint): string | undefined {
  const text = readFile("/proc/kallsyms")
  return typeof text === "string" ? functionIn(text, address) : undefined
}

/** "ffffffff81000000 T name", perhaps with the compiler's suffix (.constprop.0) or a module: not in the order of addresses. */
export function functionIn(kallsyms: string, address: bigint): string | undefined {
  const wanted = address.toString(16).padStart(16, "0")
  let [bestAddress, bestName] = ["", ""]
  for (let start = 0; start < kallsyms.length; ) {
    const end = kallsyms.indexOf("\n", start)
    const next = end < 0 ? kallsyms.length : end
    const at = kallsyms.slice(start, start + 16)
    if (at <= wanted && at > bestAddress && /[tTwW]/.test(kallsyms.charAt(start + 17))) {
      ;[bestAddress, bestName] = [at, kallsyms.slice(start + 19, next)]
    }
    start = next + 1
  }
  return bestAddress === "" || /^0*$/.test(bestAddress) ? undefined : bestName.split(/[\t.]/, 1)[0]
}
