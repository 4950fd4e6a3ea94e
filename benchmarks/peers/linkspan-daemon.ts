import { start as alone } from "./linkspan.ts"
import { beside } from "./resident.ts"

export const start = beside(alone)
