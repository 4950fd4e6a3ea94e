// /_ping, /version, /info: what is there to talk to.

import { readFileSync } from "node:fs"
import { arch, cpus, hostname, release, totalmem } from "node:os"
import type { LinkspanApi } from "#engine/linkspan.ts"
import { NETWORK_DRIVERS } from "#model/network.ts"
import { VERSION } from "#model/version.ts"
import { CURRENT_VERSION, MINIMUM_VERSION } from "./api-version.ts"
import { type Answer, json } from "./http.ts"

/** Go's names, which Docker uses. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" }
/** The kernel's. */
const MACHINES: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" }

export const COMMON_HEADERS: Readonly<Record<string, string>> = {
  "Api-Version": CURRENT_VERSION,
  "Docker-Experimental": "false",
  Ostype: "linux",
  Server: `linkspan/${VERSION} (linux)`,
}

export function ping(): Answer {
  return {
    status: 200,
    headers: {
      "Cache-Control": "no-cache, no-store, must-revalidate",
      Pragma: "no-cache",
      Swarm: "inactive",
      "Content-Type": "text/plain; charset=utf-8",
    },
    body: "OK",
  }
}

export function version(): Answer {
  const details = {
    ApiVersion: CURRENT_VERSION,
    Arch: ARCHITECTURES[arch()] ?? arch(),
    BuildTime: "",
    Experimental: "false",
    GitCommit: "",
    GoVersion: "",
    KernelVersion: release(),
    MinAPIVersion: MINIMUM_VERSION,
    Os: "linux",
  }
  return json(200, {
    Platform: { Name: "linkspan" },
    Version: VERSION,
    ApiVersion: details.ApiVersion,
    MinAPIVersion: details.MinAPIVersion,
    Os: details.Os,
    Arch: details.Arch,
    Components: [{ Name: "Engine", Version: VERSION, Details: details }],
    GitCommit: details.GitCommit,
    GoVersion: details.GoVersion,
    KernelVersion: details.KernelVersion,
    BuildTime: details.BuildTime,
  })
}

export async function info(linkspan: LinkspanApi, listeners: number): Promise<Answer> {
  const containers = await linkspan.list({ all: true })
  const running = containers.filter(({ status }) => status === "running").length
  return json(200, {
    ID: readText("/etc/machine-id"),
    Containers: containers.length,
    ContainersRunning: running,
    ContainersPaused: 0,
    ContainersStopped: containers.length - running,
    Images: 0,
    Driver: "",
    DriverStatus: null,
    Plugins: {
      Volume: null,
      Network: ["host", "null", ...NETWORK_DRIVERS].sort(),
      Authorization: null,
      Log: null,
    },
    MemoryLimit: true,
    SwapLimit: true,
    IPv4Forwarding: true,
    Debug: false,
    NFd: -1,
    NGoroutines: -1,
    OomKillDisable: false,
    SystemTime: new Date().toISOString(),
    LoggingDriver: "",
    CgroupDriver: "none",
    NEventsListener: listeners,
    KernelVersion: release(),
    OperatingSystem: osName(),
    OSVersion: "",
    OSType: "linux",
    Architecture: MACHINES[arch()] ?? arch(),
    IndexServerAddress: "",
    RegistryConfig: null,
    NCPU: cpus().length,
    MemTotal: totalmem(),
    GenericResources: null,
    DockerRootDir: "",
    HttpProxy: "",
    HttpsProxy: "",
    NoProxy: "",
    Name: hostname(),
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: VERSION,
    Runtimes: {},
    DefaultRuntime: "",
    Swarm: {
      NodeID: "",
      NodeAddr: "",
      LocalNodeState: "inactive",
      ControlAvailable: false,
      Error: "",
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    Isolation: "",
    InitBinary: "",
    ContainerdCommit: { ID: "" },
    RuncCommit: { ID: "" },
    InitCommit: { ID: "" },
    SecurityOptions: [],
    FirewallBackend: { Driver: "nftables" },
    Warnings: null,
  })
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim()
  } catch {
    // Said as unknown.
    return ""
  }
}

function osName(): string {
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readText("/etc/os-release"))?.[1] ?? "Linux"
}
