import { expect, test } from "bun:test"
import { parseCommandLine, UsageError } from "./command-line.ts"

const PLAIN = { rootless: false, pluginDirectories: [] }

test.each<[string, string[], object]>([
  [
    "what Podman sends",
    ["--config", "/run/containers/networks", "--rootless=false", "--aardvark-binary=/a", "setup", "/run/netns/x"],
    { ...PLAIN, verb: "setup", argument: "/run/netns/x", config: "/run/containers/networks", aardvark: "/a" },
  ],
  [
    "short options",
    ["-c/d", "-f", "in", "-r=true", "teardown", "x"],
    { ...PLAIN, verb: "teardown", argument: "x", config: "/d", file: "in", rootless: true },
  ],
  [
    "plugin directories",
    ["--plugin-directory", "/a", "--plugin-directory=/b", "create"],
    { ...PLAIN, verb: "create", pluginDirectories: ["/a", "/b"] },
  ],
  [
    "servers",
    ["update", "n1", "--network-dns-servers", "8.8.8.8,1.1.1.1"],
    { ...PLAIN, verb: "update", argument: "n1", dnsServers: ["8.8.8.8", "1.1.1.1"] },
  ],
  [
    "no servers",
    ["update", "n1", "--network-dns-servers", ""],
    { ...PLAIN, verb: "update", argument: "n1", dnsServers: [] },
  ],
])("parseCommandLine() reads %s", (_, args, want) => {
  expect(parseCommandLine(args)).toEqual(want as ReturnType<typeof parseCommandLine>)
})

test.each<[string, string[]]>([
  ["nothing", []],
  ["another verb", ["set-up", "x"]],
  ["a verb without its argument", ["setup"]],
  ["one argument too many", ["setup", "a", "b"]],
  ["an unknown option", ["--colour", "setup", "x"]],
  ["an option without a value", ["setup", "x", "--config"]],
  ["another truth", ["--rootless=yes", "setup", "x"]],
  ["servers elsewhere", ["setup", "x", "--network-dns-servers", "8.8.8.8"]],
])("parseCommandLine() refuses %s", (_, args) => {
  expect(() => parseCommandLine(args)).toThrow(UsageError)
})
