// netavark on a network that another container keeps.

import type { Start } from "../contender.ts"
import { open } from "./netavark.ts"

export const start: Start = (place) => open(place, true)
