import { mkdirSync, symlinkSync } from "node:fs"
import type { Start } from "../contender.ts"
import { openPodman } from "./podman-run.ts"

const EXECUTABLE = process.env["LINKSPAN_BENCH_EXECUTABLE"] ?? "linkspan"

export const start: Start = (place) => {
  mkdirSync(`${place.dir}/bin`)
  for (const name of ["netavark", "aardvark-dns"]) {
    symlinkSync(EXECUTABLE, `${place.dir}/bin/${name}`)
  }
  return openPodman(place, `${place.dir}/bin`)
}
