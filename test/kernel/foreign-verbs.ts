// One verb of the firewall's, in the namespace that this is started in: ufw's and firewalld's front ends act on their own.
//
//   foreign-verbs.ts STATE_DIR status|integrate|rehearse|remove

import { Linkspan, LinkspanError } from "../../src/index.ts"

const [, , stateDir = "", verb] = process.argv
await using linkspan = await Linkspan.open({ stateDir, runDir: `${stateDir}/run`, names: false })
const { firewall } = linkspan

function perform(): Promise<unknown> {
  switch (verb) {
    case "integrate":
      return firewall.integrate()
    case "rehearse":
      return firewall.integrate({ dryRun: true })
    case "remove":
      return firewall.remove()
    default:
      return firewall.status()
  }
}

try {
  console.log(JSON.stringify(await perform()))
} catch (error) {
  if (!(error instanceof LinkspanError)) {
    throw error
  }
  console.log(JSON.stringify({ error }))
}
