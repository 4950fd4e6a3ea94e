// Numbers of the DNS protocol: RFC 1035 §3.2 and §4.1, RFC 6891 (OPT), RFC 3596 (AAAA).

export const HEADER_BYTES = 12
export const MAX_NAME_BYTES = 255
export const MAX_LABEL_BYTES = 63
/** What a client without EDNS takes over UDP (RFC 1035 §4.2.1). */
export const PLAIN_UDP_BYTES = 512
/** What fits every path without fragments (DNS flag day 2020), so the most that is sent or asked for over UDP. */
export const EDNS_UDP_BYTES = 1232

export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  ANY: 255,
} as const
export const CLASS = { IN: 1, ANY: 255 } as const
export const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const

/** Bits of the header's second pair of bytes. */
export const FLAG = {
  QR: 0x8000,
  OPCODE: 0x7800,
  AA: 0x0400,
  TC: 0x0200,
  RD: 0x0100,
  RA: 0x0080,
  AD: 0x0020,
  CD: 0x0010,
  RCODE: 0x000f,
} as const
