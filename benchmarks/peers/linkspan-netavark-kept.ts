// linkspan in netavark's place, on a network that another container keeps.

import type { Start } from "../contender.ts"
import { open } from "./netavark.ts"

const EXECUTABLE = process.env["LINKSPAN_BENCH_EXECUTABLE"] ?? "linkspan"

export const start: Start = (place) => open(place, true, [EXECUTABLE, "netavark"])
