// Address families, the first byte of most headers: include/linux/socket.h AF_*.

import { named, u8 } from "./schema.ts"

export const AF_INET = 2
export const AF_BRIDGE = 7
export const AF_INET6 = 10

export const family = named(u8, { inet: AF_INET, bridge: AF_BRIDGE, inet6: AF_INET6 })
