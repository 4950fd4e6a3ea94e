// linkspan in both places, as `linkspan podman install` puts it there.

import { mkdirSync, symlinkSync } from "node:fs"
import type { Start } from "../contender.ts"
import { open } from "./netavark.ts"

const EXECUTABLE = process.env["LINKSPAN_BENCH_EXECUTABLE"] ?? "linkspan"

export const start: Start = (place) => {
  mkdirSync(`${place.dir}/bin`)
  process.env["LINKSPAN_STATE_DIR"] = `${place.dir}/state`
  for (const name of ["netavark", "aardvark-dns"]) {
    symlinkSync(EXECUTABLE, `${place.dir}/bin/${name}`)
  }
  return open(place, true, [`${place.dir}/bin/netavark`], { aardvark: `${place.dir}/bin/aardvark-dns` })
}
