// Words as they are typed into a shell: quoted where it would take them for something else.

const PLAIN = /^[\w@%+:,./-]+$/

export function shellWords(words: readonly string[]): string {
  return words.map((word) => (PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ")
}
