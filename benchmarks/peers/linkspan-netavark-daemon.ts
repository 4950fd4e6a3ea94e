import { start as alone } from "./linkspan-netavark.ts"
import { beside } from "./resident.ts"

export const start = beside(alone)
