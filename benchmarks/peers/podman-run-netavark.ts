import type { Start } from "../contender.ts"
import { openPodman } from "./podman-run.ts"

export const start: Start = (place) => openPodman(place, "/usr/lib/podman")
