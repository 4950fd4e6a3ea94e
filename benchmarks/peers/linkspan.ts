// The executable that `npm run build` makes; main.ts builds one for the run and says where.

import { startCommand } from "./linkspan-command.ts"

export const start = startCommand([process.env["LINKSPAN_BENCH_EXECUTABLE"] ?? "linkspan"])
