// Questions and answers as the library dns-packet writes and reads them: nothing of ours on that side.

import { type DecodedPacket, decode, encode, type Packet, RECURSION_DESIRED } from "dns-packet"
import type { Asker } from "../asker.ts"
import type { Resolver } from "../resolver.ts"
import { IDS } from "./directory.ts"

export const WEB: Asker = { kind: "container", id: IDS.web }

export interface Question {
  readonly name: string
  readonly type?: string
  readonly asker?: Asker
  readonly transport?: "udp" | "tcp"
  readonly more?: Partial<Packet>
}

export function questionPacket({ name, type = "A", more }: Question): Uint8Array {
  const questions = [{ name, type: type as "A" }]
  // A copy: slices of what the library makes are views of it.
  return Uint8Array.from(encode({ type: "query", id: 4711, flags: RECURSION_DESIRED, questions, ...more }))
}

/** The decoder finds the response code too, which its types do not say. */
export type Answered = DecodedPacket & { readonly rcode: string }

export async function ask(resolver: Resolver, question: Question): Promise<Answered> {
  const answer = await resolver.answer(questionPacket(question), question.asker ?? WEB, question.transport ?? "udp")
  if (answer === undefined) {
    throw new Error(`No answer to ${question.name}`)
  }
  return decode(Buffer.from(answer)) as Answered
}

/** Addresses or names, sorted; or the response code when it says more. */
export async function told(resolver: Resolver, question: Question): Promise<string[] | string> {
  const answer = await ask(resolver, question)
  const data = (answer.answers ?? []).map((each) => ("data" in each ? String(each.data) : each.type))
  return answer.rcode === "NOERROR" ? data.sort() : answer.rcode
}
