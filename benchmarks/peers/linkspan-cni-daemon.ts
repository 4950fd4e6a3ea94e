import { start as alone } from "./linkspan-cni.ts"
import { beside } from "./resident.ts"

export const start = beside(alone)
