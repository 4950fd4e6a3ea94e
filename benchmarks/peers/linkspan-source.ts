// linkspan from the checkout: Bun compiles src/main.ts anew at each start.

import { startCommand } from "./linkspan-command.ts"

const MAIN = `${import.meta.dir}/../../src/main.ts`

export const start = startCommand([process.execPath, "--no-env-file", MAIN])
