// netavark and aardvark-dns as Podman uses them, on a network that another container keeps.

import type { Start } from "../contender.ts"
import { open } from "./netavark.ts"

export const start: Start = (place) => open(place, true, undefined, { aardvark: "/usr/lib/podman/aardvark-dns" })
