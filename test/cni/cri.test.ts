// time limit: 180 s
// What a kubelet does, without one: containerd's own CRI, over gRPC. It says DEL three times for a pod, twice without a
// namespace, and spells the keys of runtimeConfig as Go's structures are called.

import { expect, test } from "bun:test"
import { copyFileSync } from "node:fs"
import { join } from "node:path"
import { Client, credentials } from "@grpc/grpc-js"
import { loadSync } from "@grpc/proto-loader"
import { ADDRESSES, Host } from "../host.ts"
import { unpacked } from "../kernel/debian-package.ts"
import { IMAGE, startContainerd } from "./containerd.ts"

const SERVICE = loadSync(join(import.meta.dir, "cri.proto"), { keepCase: true })["runtime.v1.RuntimeService"]

type Method = {
  readonly path: string
  readonly requestSerialize: (value: object) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => unknown
}

/** One call of the runtime's. */
function cri(socket: string) {
  const client = new Client(`unix:${socket}`, credentials.createInsecure())
  return {
    call: <T>(name: string, request: object): Promise<T> => {
      const method = (SERVICE as unknown as Readonly<Record<string, Method>>)[name] as Method
      return new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          request,
          { deadline: Date.now() + 60_000 },
          (error, value) => (error === null ? resolve(value as T) : reject(error)),
        )
      })
    },
    [Symbol.dispose]: () => client.close(),
  }
}

test("a pod gets its addresses, port and rates from one plugin, and its three DELs leave nothing", async () => {
  await using host = await Host.create()
  const directory = host.file("containerd")
  const plugins = join(directory, "plugins")
  await using containerd = await startContainerd(host, {
    command: ["/bin/busybox", "httpd", "-f", "-p", "80", "-h", "/"],
    capabilities: { portMappings: true, bandwidth: true, dns: true },
    cri: `[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${IMAGE}"
netns_mounts_under_state_dir = true
disable_apparmor = true
restrict_oom_score_adj = true
stream_server_port = "0"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "${plugins}"
conf_dir = "${directory}/net.d"
`,
  })
  // Before version 2 it runs this one for every pod.
  copyFileSync(`${await unpacked("containernetworking-plugins")}/usr/lib/cni/loopback`, join(plugins, "loopback"))
  using runtime = cri(containerd.socket)
  const pod = (name: string) => ({
    config: {
      metadata: { name, uid: `uid-${name}`, namespace: "default", attempt: 0 },
      hostname: name,
      log_directory: host.file("logs"),
      port_mappings: [{ protocol: 0, container_port: 80, host_port: 30080 }],
      annotations: { "kubernetes.io/ingress-bandwidth": "8M", "kubernetes.io/egress-bandwidth": "4M" },
      linux: {},
    },
  })
  const { pod_sandbox_id } = await runtime.call<{ pod_sandbox_id: string }>("RunPodSandbox", pod("web"))
  const { status } = await runtime.call<{ status: { network: object } }>("PodSandboxStatus", { pod_sandbox_id })
  expect(status.network).toMatchObject({ ip: "10.77.1.2", additional_ips: [{ ip: "fd77::2" }] })
  expect((await host.cli(["ps", "-q"])).ok().stdout).toBe("web.default\n")
  for (const address of [ADDRESSES.host4, `[${ADDRESSES.host6}]`]) {
    const fetch = `import urllib.request as u; print(u.urlopen("http://${address}:30080/hello", timeout=10).read().decode())`
    expect((await host.outside.exec(["python3", "-c", fetch])).stdout).toBe("hello\n")
  }
  const buckets = (await host.exec(["tc", "-j", "qdisc", "show"])).json<{ kind: string; options: { rate: number } }[]>()
  expect(buckets.filter(({ kind }) => kind === "tbf").map(({ options }) => options.rate * 8)).toEqual([8_000_000])

  const refused = await runtime.call("RunPodSandbox", pod("other")).then(
    () => "it came up",
    (error: Error) => error.message,
  )
  expect(refused).toContain('host port 30080/tcp is published by container "web.default"')
  expect((await host.cli(["ps", "--all", "-q"])).ok().stdout).toBe("web.default\n")

  await runtime.call("StopPodSandbox", { pod_sandbox_id })
  await runtime.call("StopPodSandbox", { pod_sandbox_id })
  await runtime.call("RemovePodSandbox", { pod_sandbox_id })
  expect((await host.cli(["ps", "--all", "-q"])).ok().stdout).toBe("")
  expect(await host.changes()).toEqual([])
})
