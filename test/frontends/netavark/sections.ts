// The output of a script that says "[name]" before each part.

export function sectionsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split(/^\[(?=[a-z]+\]$)/m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf("]")), section.slice(section.indexOf("]") + 1).trim()]),
  )
}
