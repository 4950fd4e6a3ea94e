// `linkspan dns query`: the answer, and who gave it.

import type { NameAnswer } from "#engine/linkspan.ts"
import { toldBy } from "#engine/names/told-by.ts"
import { type Look, paint, plain } from "./look.ts"

export function answerText({ name, type, rcode, records, source }: NameAnswer, look: Look): string {
  const answers =
    records.length > 0
      ? records.map((record) => `${paint(look, "bold", plain(record.name))} ${record.type} ${plain(record.data)}`)
      : [rcode === "NOERROR" ? `${plain(name)} has no ${type} records` : `${plain(name)}: ${rcode}`]
  return `${[...answers, paint(look, "dim", toldBy(source))].join("\n")}\n`
}
