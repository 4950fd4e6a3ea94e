// A system, or an image, with little more than libc and libnftables.

import { expect, test } from "bun:test"
import { join } from "node:path"
import { Host } from "../host.ts"

test("networks and published ports are made where there is no /etc/protocols and no /etc/services", async () => {
  const hidden =
    'for file in /etc/protocols /etc/services; do [ ! -e $file ] || mount --bind /dev/null $file; done; exec "$@"'
  await using host = await Host.create({
    uplink: false,
    cli: [
      "unshare",
      "--mount",
      "sh",
      "-c",
      hidden,
      "sh",
      process.execPath,
      "--no-env-file",
      join(import.meta.dir, "../../src/main.ts"),
    ],
  })
  const b = await host.netns("b")
  ;(await host.cli(["network", "create", "web", "--subnet", "10.89.0.0/24"])).ok()
  ;(await host.cli(["attach", "b", "--network", "web", "--netns", b.path, "--publish", "8080:80"])).ok()
  await using _server = await b.listen(80)
  expect(await host.connect("127.0.0.1", 8080)).toMatchObject({ ok: true })
  expect((await host.cli(["reconcile", "-o", "json"])).json()).toMatchObject({ repairs: [], problems: [] })
  ;(await host.cli(["detach", "b"])).ok()
  ;(await host.cli(["network", "rm", "web"])).ok()
})
