import { expect, test } from "bun:test"
import { shellWords } from "./shell-words.ts"

test("shellWords() is read back by a shell as the words that went in", () => {
  const words = ["sh", "-c", "echo $x; exit", "it's", "", "a=b", "~", "*", "\n", "-x", "ü", "\\"]
  const { stdout } = Bun.spawnSync(["sh", "-c", `for w in ${shellWords(words)}; do printf '%s\\0' "$w"; done`])
  expect(stdout.toString().split("\0").slice(0, -1)).toEqual(words)
})

test("shellWords() leaves alone what needs no quotes", () => {
  expect(shellWords(["sleep", "10", "/bin/x-y_z", "a b"])).toBe("sleep 10 /bin/x-y_z 'a b'")
})
