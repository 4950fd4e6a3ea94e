// A root directory with packages of a later Debian, and all that they need: programs that the machine's own Debian has
// only in older versions. Fetched and unpacked by apt and dpkg once a checkout; the machine itself stays as it is.

import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const CACHE = join(import.meta.dir, "../node_modules/.cache/debian-root")
const FETCH_MS = 240_000

export function hasDebianRoot(suite: "sid" | "experimental"): boolean {
  return existsSync(join(CACHE, suite, ".complete"))
}

/** Undefined when it cannot be had: no such packages at this moment, or nobody to fetch them from. */
export function debianRoot(suite: "sid" | "experimental", packages: readonly string[]): string | undefined {
  const root = join(CACHE, suite)
  if (hasDebianRoot(suite)) {
    return root
  }
  const apt = `${root}.apt`
  for (const directory of [root, `${apt}/lists/partial`, `${apt}/cache/archives/partial`, `${apt}/state`]) {
    mkdirSync(directory, { recursive: true })
  }
  writeFileSync(`${apt}/status`, "")
  writeFileSync(`${apt}/preferences`, PREFERENCES)
  writeFileSync(
    `${apt}/debian.sources`,
    `Types: deb\nURIs: http://deb.debian.org/debian\nSuites: sid${suite === "sid" ? "" : ` ${suite}`}\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n`,
  )
  writeFileSync(
    `${apt}/apt.conf`,
    [
      `Dir::Etc::SourceList "${apt}/debian.sources";`,
      'Dir::Etc::SourceParts "/dev/null";',
      `Dir::Etc::Preferences "${apt}/preferences";`,
      'Dir::Etc::PreferencesParts "/dev/null";',
      `Dir::State "${apt}/state";`,
      `Dir::State::Lists "${apt}/lists";`,
      `Dir::State::status "${apt}/status";`,
      `Dir::Cache "${apt}/cache";`,
      'APT::Install-Recommends "false";',
      'APT::Sandbox::User "root";',
      'Acquire::Languages "none";',
      "",
    ].join("\n"),
  )
  const get = (...words: readonly string[]): boolean => succeeds(["apt-get", "-qq", "-c", `${apt}/apt.conf`, ...words])
  if (!get("update") || !get("install", "--download-only", "--yes", ...packages)) {
    return undefined
  }
  const archives = `${apt}/cache/archives`
  for (const file of readdirSync(archives).filter((name) => name.endsWith(".deb"))) {
    if (!succeeds(["dpkg-deb", "-x", `${archives}/${file}`, root])) {
      return undefined
    }
  }
  // One tree, as the packages themselves suppose (usrmerge).
  for (const name of ["bin", "sbin", "lib", "lib64"].filter((each) => !existsSync(`${root}/${each}`))) {
    symlinkSync(`usr/${name}`, `${root}/${name}`)
  }
  writeFileSync(`${root}/.complete`, "")
  return root
}

/** Of the experimental suite these alone; the rest is unstable's. */
const PREFERENCES = `Package: podman netavark golang-github-containers-common
Pin: release a=experimental
Pin-Priority: 990
`

function succeeds(cmd: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
  return Bun.spawnSync({ cmd, env, stdout: "ignore", stderr: "ignore", timeout: FETCH_MS }).success
}
