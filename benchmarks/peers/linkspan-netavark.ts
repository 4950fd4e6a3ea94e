// linkspan in netavark's place: the same calls, answered by the executable that `npm run build` makes.

import type { Start } from "../contender.ts"
import { open } from "./netavark.ts"

const EXECUTABLE = process.env["LINKSPAN_BENCH_EXECUTABLE"] ?? "linkspan"

export const start: Start = (place) => open(place, false, [EXECUTABLE, "netavark"])
