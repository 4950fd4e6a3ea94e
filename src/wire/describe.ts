// A message on one line, as `--debug` prints it: names where they are known, nothing for what is absent or zero.

import { type MessageKind, NLM_F, type Request } from "./nlmsg.ts"
import { bits, show, u16 } from "./schema.ts"

/** Of requests that change something; of requests for objects the same bits mean other things. */
const ChangeFlags = bits(u16, {
  request: NLM_F.REQUEST,
  ack: NLM_F.ACK,
  replace: NLM_F.REPLACE,
  excl: NLM_F.EXCL,
  create: NLM_F.CREATE,
  append: NLM_F.APPEND,
})
const GetFlags = bits(u16, { request: NLM_F.REQUEST, ack: NLM_F.ACK, dump: NLM_F.DUMP })

/** "RTM_NEWLINK request|ack|excl|create ifname=br0 linkInfo{kind=bridge}" */
export function describeRequest({ kind, flags, header, attrs }: Request): string {
  const changes = (flags & (NLM_F.CREATE | NLM_F.ACK)) !== 0
  const words = show(changes ? ChangeFlags : GetFlags, flags, undefined)
  return `${kind.name} ${words}${describeHeader(kind, header)}${describeAttributes(kind, attrs)}`
}

/** Begins with a blank, unless there is nothing to say. */
export function describeHeader(kind: MessageKind, header: Readonly<Record<string, number>>): string {
  return withBlank(kind.header.show(header))
}

/** Begins with a blank, unless there is nothing to say. */
export function describeAttributes(kind: MessageKind, attrs: unknown): string {
  return withBlank(show(kind.attrs, attrs, undefined))
}

function withBlank(text: string): string {
  return text === "" ? "" : ` ${text}`
}
