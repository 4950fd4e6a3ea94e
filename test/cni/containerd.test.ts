// time limit: 180 s
// Real containerd, whose `ctr run --cni` is libcni: it starts the plugin, reads the answer, and says DEL with an empty
// CNI_NETNS when the container has ended.

import { expect, test } from "bun:test"
import { ADDRESSES, Host } from "../host.ts"
import { run } from "../run.ts"
import { IMAGE, startContainerd } from "./containerd.ts"

/** libcni looks for plugins and configurations where the machine has none: the command gets its own /opt and /etc/cni. */
const IN_ITS_OWN_PLACES = `
  mount -t tmpfs none /opt && mkdir -p /opt/cni && ln -s "$1/plugins" /opt/cni/bin &&
  mount -t tmpfs none /mnt && mkdir /mnt/upper /mnt/work &&
  mount -t overlay none -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc &&
  mkdir -p /etc/cni/net.d && mount --bind "$1/net.d" /etc/cni/net.d &&
  shift && exec "$@"`

test("a container of containerd reaches the outside and leaves nothing", async () => {
  await using host = await Host.create()
  await using containerd = await startContainerd(host)
  const { directory, socket, env } = containerd
  await using server = await host.outside.listen(80)
  const command = `busybox ip -o addr; busybox ip route; busybox nc -w 5 ${ADDRESSES.internet4} ${server.port} < /dev/null && echo reached`
  const runIt = [
    "ctr",
    "-a",
    socket,
    "run",
    "--rm",
    "--snapshotter",
    "native",
    "--cni",
    IMAGE,
    "box",
    "sh",
    "-c",
    command,
  ]
  const ran = await run(
    host.enter([
      "unshare",
      "--mount",
      "--propagation",
      "slave",
      "sh",
      "-c",
      IN_ITS_OWN_PLACES,
      "sh",
      directory,
      ...runIt,
    ]),
    { env },
  )
  expect(ran.ok().stdout).toContain("inet 10.77.1.2/24")
  expect(ran.stdout).toContain("inet6 fd77::2/64")
  expect(ran.stdout).toContain("default via 10.77.1.1")
  expect(ran.stdout).toContain("reached")
  expect((await host.cli(["ps", "--all", "-q"])).ok().stdout).toBe("")
  expect(await host.changes()).toEqual([])
})
