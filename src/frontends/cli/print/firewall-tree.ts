// `linkspan firewall status`.

import type { FirewallStatus, Obstacle } from "#model/view.ts"
import { type Look, paint, plain } from "./look.ts"
import { type Node, tree } from "./tree.ts"

export function firewallTree(status: FirewallStatus, look: Look): string {
  const { loaded, integrations } = status
  const obstacles = [...status.obstacles, ...status.nameObstacles]
  return tree({
    text: `firewall  linkspan's own tables are ${loaded ? paint(look, "green", "loaded") : paint(look, "yellow", "not loaded")}`,
    children: [
      ...(obstacles.length === 0
        ? [{ text: "nothing of anybody else's is in the way" }]
        : obstacles.map((obstacle) => obstacleNode(obstacle, look))),
      ...integrations.map(({ owner, where, inPlace }) => ({
        text: `integrated with ${plain(owner)}: ${plain(where)}  ${inPlace ? paint(look, "green", "in place") : paint(look, "red", "gone")}`,
      })),
    ],
  })
}

function obstacleNode({ traffic, owner, where, families, remedy, integrable }: Obstacle, look: Look): Node {
  const remedies = [
    ...(integrable ? [`remedy: linkspan firewall integrate`] : []),
    ...(remedy === "" ? [] : [`remedy: ${plain(remedy)}`]),
  ]
  return {
    text: paint(
      look,
      "yellow",
      `${plain(owner)} refuses ${traffic === "names" ? "questions about names at gateways" : "forwarded traffic"} (${families.map((family) => `IPv${family}`).join(", ")}): ${plain(where)}`,
    ),
    children: remedies.map((text) => ({ text })),
  }
}
