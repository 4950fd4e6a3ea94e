import type { Start } from "../contender.ts"
import { start as alone } from "./podman-run-linkspan.ts"
import { startDaemon } from "./resident.ts"

export const start: Start = async (place) => {
  const podman = await alone(place)
  // Its state is where it is on a user's machine.
  const stop = await startDaemon({}, "/run/linkspan")
  return {
    ...podman,
    async close() {
      await podman.close()
      await stop()
    },
  }
}
