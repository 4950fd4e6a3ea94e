// Behind another plugin, which has made the interface: linkspan adds what that one lacks, and hands on what it answered.

import type { NetworkDescription } from "#model/request.ts"
import { CniError, CODES } from "./cni-error.ts"
import { flag, get, isObject } from "./fold.ts"
import { chainedNetworkId, networkName } from "./identity.ts"
import { namedNetwork, wantedDns, wantedMac } from "./network-config.ts"
import type { Attachment, Config } from "./request.ts"

/** Where containers ask for names, in their own namespaces (docs/dns.md). */
const OWN_NAME_SERVER = "127.0.0.11"

/** The interfaces of the configuration's other plugins, as one network. */
export function describeChained(config: Config): NetworkDescription {
  const { keys, name } = config
  if (namedNetwork(config) !== undefined) {
    throw new CniError(
      CODES.invalidConfig,
      'Cannot use "network" behind another plugin: the interface is there already',
      {
        details: "Put linkspan first in the list, or leave the key out",
      },
    )
  }
  return {
    id: chainedNetworkId(name),
    name: networkName(name),
    driver: "foreign",
    dns: flag(get(keys, "names")) ?? false,
    labels: { "cni.network": name },
  }
}

/** The answer of the plugin before, in the words of which it was given, with what linkspan has changed. */
export function chainedAnswer(config: Config, { ifname }: Attachment): string {
  const own = wantedDns(config, [OWN_NAME_SERVER])
  const before = config.previous ?? {}
  const dns = Object.keys(own).length === 0 ? {} : { dns: { ...(before["dns"] as object | undefined), ...own } }
  const mac = wantedMac(config)
  const interfaces =
    mac === undefined || !Array.isArray(before["interfaces"])
      ? {}
      : { interfaces: before["interfaces"].map((one) => (isInside(one, ifname) ? { ...one, mac } : one)) }
  return `${JSON.stringify({ ...before, ...interfaces, ...dns, cniVersion: config.version })}\n`
}

function isInside(one: unknown, ifname: string): one is object {
  return isObject(one) && one["name"] === ifname && (one["sandbox"] ?? "") !== ""
}
