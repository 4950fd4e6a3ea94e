// An article whose console blocks are a script: commands after a prompt, and below each what it printed. Reads them,
// writes them with other output, and says what of an output is another one every time.

export interface Step {
  /** "#": this host. "2#": a second terminal, on which the command waits for what the next one does. */
  readonly prompt: "#" | "2#" | "outside#"
  readonly command: string
  readonly output: string
}

const BLOCK = /^```console\n(.*?)^```$/gms
const PROMPT = /^(#|2#|outside#) (.+)$/

export function stepsOf(article: string): Step[] {
  return Array.from(article.matchAll(BLOCK), ([, block = ""]) => stepsOfBlock(block)).flat()
}

function stepsOfBlock(block: string): Step[] {
  const steps: Step[] = []
  for (const line of block.split("\n").slice(0, -1)) {
    const [, prompt, command] = PROMPT.exec(line) ?? []
    const last = steps.at(-1)
    if (command !== undefined) {
      steps.push({ prompt: prompt as Step["prompt"], command, output: "" })
    } else if (last === undefined) {
      throw new Error(`A console block begins with no prompt: ${line}`)
    } else {
      steps[steps.length - 1] = { ...last, output: `${last.output}${line}\n` }
    }
  }
  return steps
}

/** The article with these outputs in place of its own, in order. */
export function withOutputs(article: string, outputs: readonly string[]): string {
  let next = 0
  return article.replaceAll(BLOCK, (_, block: string) => {
    const steps = stepsOfBlock(block).map(({ prompt, command }) => `${prompt} ${command}\n${outputs[next++] ?? ""}`)
    return `\`\`\`console\n${steps.join("")}\`\`\``
  })
}

/** Each is known again: two places that show the same one must do so in every run. */
const NAMES: Readonly<Record<string, RegExp>> = {
  netns: /net:\[\d+\]/g,
  cable: /\blv-[0-9a-f]{12}\b/g,
  // Those that the kernel chose; the article chooses some, and others are in standards.
  mac: /\b(?!02:00:00:00:00|01:00:5e|33:33|00:00:00|ff:ff)[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b/g,
  id: /\b[0-9a-f]{12}\b/g,
}

const NUMBERS: readonly (readonly [RegExp, string])[] = [
  // A cable's name where the picture has no room for it.
  [/\blv-[0-9a-f]{1,11}…/g, "lv-…"],
  [/(\d+\.\d+\/){3}\d+\.\d+/g, "TIMES"],
  [/\b\d+(\.\d+)? ?ms\b/g, "TIME ms"],
  [/\b(id|pid)([ =])\d+/g, "$1$2ID"],
  [/^(icmp +1) \d+/gm, "$1 SECONDS"],
  [/(192\.0\.2\.2)\.\d+/g, "$1.PORT"],
  [/link-netnsid \d+/g, "link-netnsid N"],
  [/\b(REACHABLE|STALE|DELAY|PROBE)\b/g, "NEIGHBOUR"],
  [/ +$/gm, ""],
]

/** The same text for every run that is alike. */
export function steady(text: string): string {
  const named = Object.entries(NAMES).reduce((rest, [kind, pattern]) => {
    const known = new Map<string, number>()
    return rest.replaceAll(pattern, (name) => {
      const number = known.get(name) ?? known.size + 1
      known.set(name, number)
      return `${kind}-${number}`
    })
  }, text)
  return NUMBERS.reduce((rest, [pattern, stand]) => rest.replaceAll(pattern, stand), named)
}
