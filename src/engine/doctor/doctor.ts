// Looks at everything that could be wrong: the host by reading and probing, each network by behaviour. What is linkspan's
// it repairs on request; everything else is only named.

import { delLink } from "#kernel/rtnetlink.ts"
import type { Diagnosis, DoctorRequest } from "#model/doctor.ts"
import { accept } from "#model/field.ts"
import { isBridge } from "#model/network.ts"
import { checkDoctor } from "#model/validate-doctor.ts"
import { Host } from "../host.ts"
import { reconcile } from "../reconcile.ts"
import { bundleOf } from "./bundle.ts"
import { tryNetwork } from "./canary.ts"
import { checkDocker } from "./docker-check.ts"
import { checkHost, leftoverLinks } from "./host-checks.ts"

/** @throws LinkspanError HOST_IN_USE */
export async function diagnose(host: Host, request: DoctorRequest): Promise<Diagnosis> {
  const {
    fix = false,
    canaries = true,
    docker,
    bundle = false,
  } = accept("Cannot look for mistakes", checkDoctor(request))
  const repairs = fix ? repair(host) : []
  const findings = [...checkHost(host), ...(await checkDocker(host, docker))]
  if (canaries) {
    // Nobody has to know the names of canaries.
    const { stateDir, runDir, namespace } = host
    using quiet = Host.open({ stateDir, runDir, hostNetns: `/proc/self/fd/${namespace.netns.fd}`, names: false })
    for (const { body: network } of host.store.networks()) {
      if (isBridge(network) && network.gatewayMode !== "external" && network.subnets.length > 0) {
        findings.push(...(await tryNetwork(quiet, network)))
      } else {
        findings.push({
          check: "canary",
          level: "note",
          what: `network "${network.name}" was not tried: its containers' packets do not pass linkspan's rules`,
        })
      }
    }
  }
  return { repairs, findings, ...(bundle ? { bundle: bundleOf(host) } : {}) }
}

function repair(host: Host): string[] {
  const { repairs } = reconcile(host, {})
  const removed = host.ruleset.alone(() =>
    leftoverLinks(host).flatMap((ifname) => {
      const [verdict] = host.namespace.rtnl.execute([delLink(ifname)])
      return verdict?.errno === 0 ? [`interface "${ifname}", which nothing needed, is removed`] : []
    }),
  )
  return [...repairs, ...removed]
}
