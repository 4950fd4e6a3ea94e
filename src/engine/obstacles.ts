import type { Host } from "./host.ts"
export function obstacleWarnings(_host: Host): string[] {
  return []
}
