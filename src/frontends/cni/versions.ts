// The versions of the CNI specification that are spoken here, oldest first. Nothing is imported: VERSION is what runtimes
// ask most often (podman for every plugin of every list, on every `network ls`), and loads this alone.

export const VERSIONS = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const
export type Version = (typeof VERSIONS)[number]

export function isVersion(text: string): text is Version {
  return (VERSIONS as readonly string[]).includes(text)
}

export function isAtLeast(version: Version, least: Version): boolean {
  return VERSIONS.indexOf(version) >= VERSIONS.indexOf(least)
}

/** The answer to VERSION. */
export function versionAnswer(): string {
  return `${JSON.stringify({ cniVersion: VERSIONS.at(-1), supportedVersions: VERSIONS })}\n`
}
