/** A JSON number of that many digits, also where a double would round it (ECMA-262's JSON.rawJSON, which TypeScript does not know yet). */
export function exactNumber(digits: bigint): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(digits))
}
