// netavark 2 and its aardvark-dns, from a later Debian, with the C library of that Debian.

import { mkdirSync, writeFileSync } from "node:fs"
import { debianRoot } from "../../test/debian-root.ts"
import type { Start } from "../contender.ts"
import { open } from "./netavark.ts"

const PACKAGES = ["podman", "netavark", "aardvark-dns", "catatonit", "crun", "iproute2", "nftables", "libnftables1"]

export const start: Start = async (place) => {
  const root = debianRoot("experimental", PACKAGES)
  if (root === undefined) {
    throw new Error("netavark 2 cannot be had from Debian's experimental suite at this moment")
  }
  const loader = `${root}/usr/lib64/ld-linux-x86-64.so.2`
  const withLoader = [loader, "--library-path", `${root}/usr/lib/x86_64-linux-gnu`]
  // aardvark-dns is executed by its path alone.
  const aardvark = `${place.dir}/bin/aardvark-dns`
  mkdirSync(`${place.dir}/bin`)
  const script = `#!/bin/sh\nexec ${withLoader.join(" ")} ${root}/usr/lib/podman/aardvark-dns "$@"\n`
  writeFileSync(aardvark, script, { mode: 0o755 })
  return open(place, true, [...withLoader, `${root}/usr/lib/podman/netavark`], { aardvark })
}
