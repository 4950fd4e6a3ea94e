// How a container's interface and namespace are before they are set: what is put back when the container leaves.

import { getLink } from "#kernel/links.ts"
import type { Namespace } from "#kernel/namespace.ts"
import { type InterfaceSettings, isOfInterface, type SettingsBefore, withIfname } from "#model/interface-settings.ts"
import type { Id } from "#model/name.ts"
import type { ObservedLink } from "#model/observed.ts"
import type { Host } from "./host.ts"

interface Interface {
  readonly sandbox: Id
  readonly ifname: string
  readonly settings: InterfaceSettings | undefined
}

/** Empty, or the settings and what was before; of an interface that is yet to be made, what will not go with it. */
export function withBefore(
  host: Host,
  { sandbox, ifname, settings }: Interface,
): { readonly settings?: InterfaceSettings; readonly settingsBefore?: SettingsBefore } {
  const namespace = settings === undefined ? undefined : host.resolve(sandbox)
  if (settings === undefined || namespace === undefined) {
    return {}
  }
  const link = getLink(namespace.rtnl, ifname)
  const { sysctls = {}, ...wanted } = settings
  const before = Object.keys(sysctls)
    .filter((key) => link !== undefined || !isOfInterface(key))
    .flatMap((key) => {
      const value = readSetting(namespace, withIfname(key, ifname))
      return value === undefined ? [] : [[key, value] as const]
    })
  return {
    settings,
    settingsBefore: {
      sysctls: Object.fromEntries(before),
      ...(link === undefined || Object.keys(wanted).length === 0 ? {} : { link: seen(link, wanted) }),
    },
  }
}

function seen(link: ObservedLink, wanted: Omit<InterfaceSettings, "sysctls">): NonNullable<SettingsBefore["link"]> {
  return Object.fromEntries(Object.keys(wanted).map((key) => [key, link[key as keyof typeof wanted]]))
}

/** @param key below net/. */
export function readSetting({ netns }: Namespace, key: string): string | undefined {
  try {
    return netns.readSysctl(`net/${key}`).trim()
  } catch (error) {
    if ((error as { errno?: number }).errno === 2) {
      return undefined
    }
    throw error
  }
}
