// Settings of a container's interface as operations, and back to what was before.

import { type InterfaceSettings, withIfname } from "#model/interface-settings.ts"
import type { Endpoint } from "#model/sandbox.ts"
import type { LinkChange, Op } from "./op.ts"

export function planSettings({ sandbox, ifname, settings = {}, settingsBefore = {} }: Endpoint): Op[] {
  const { sysctls = {}, ...link } = settings
  const previous = settingsBefore.link
  return [
    ...(Object.keys(link).length === 0
      ? []
      : [
          {
            kind: "link.set",
            netns: sandbox,
            ifname,
            change: link,
            ...(previous === undefined ? {} : { previous }),
          } satisfies Op,
        ]),
    ...Object.entries(sysctls).map(([key, value]): Op => {
      const before = settingsBefore.sysctls?.[key]
      return {
        kind: "sysctl.set",
        netns: sandbox,
        key: withIfname(key, ifname),
        value,
        ...(before === undefined ? {} : { previous: before }),
      }
    }),
  ]
}

/** What is known of before. Of a link that goes it does not matter, and finding it gone is no failure. */
export function planForgetSettings({ sandbox, ifname, settings, settingsBefore = {} }: Endpoint): Op[] {
  const { link, sysctls = {} } = settingsBefore
  return [
    ...(link === undefined
      ? []
      : [{ kind: "link.set", netns: sandbox, ifname, change: link, previous: link } satisfies Op]),
    ...Object.entries(sysctls).map(
      ([key, value]): Op => ({
        kind: "sysctl.set",
        netns: sandbox,
        key: withIfname(key, ifname),
        value,
        previous: settings?.sysctls?.[key] ?? value,
      }),
    ),
  ]
}

export interface SeenSettings {
  readonly link: Required<Omit<InterfaceSettings, "sysctls">>
  readonly sysctl: (key: string) => string | undefined
}

export function settingsDrift(
  endpoint: Endpoint,
  container: string,
  seen: SeenSettings,
): { readonly problem: string; readonly ops: readonly Op[] }[] {
  const { sandbox, ifname, settings = {} } = endpoint
  const { sysctls = {}, ...link } = settings
  const found = (what: string, op: Op) => ({ problem: `container "${container}" has ${what}`, ops: [op] })
  return [
    ...(Object.entries(link) as [keyof typeof link, boolean | number | string][])
      .filter(([key, value]) => seen.link[key] !== value)
      .map(([key, value]) =>
        found(`${key} ${seen.link[key]} instead of ${value} on "${ifname}"`, {
          kind: "link.set",
          netns: sandbox,
          ifname,
          change: { [key]: value } as LinkChange,
        }),
      ),
    ...Object.entries(sysctls).flatMap(([name, value]) => {
      const key = withIfname(name, ifname)
      const current = seen.sysctl(key)
      // The kernel prints lists with tabs.
      return current?.replace(/\s+/g, " ") === value.trim().replace(/\s+/g, " ")
        ? []
        : [
            found(`net.${key.replaceAll("/", ".")} = ${current ?? "nothing"} instead of ${value}`, {
              kind: "sysctl.set",
              netns: sandbox,
              key,
              value,
            }),
          ]
    }),
  ]
}
