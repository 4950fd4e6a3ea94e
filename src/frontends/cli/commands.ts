// Every command there is, in the order in which help lists them. A command's file is loaded when it is called.

import type { Group } from "./table.ts"

export const COMMANDS: readonly Group[] = [
  {
    title: "Networks",
    word: "network",
    about: "Make, change, show and remove networks",
    entries: [
      { words: "network create", load: () => import("./commands/network-create.ts") },
      { words: "network ls", aliases: ["list"], load: () => import("./commands/network-ls.ts") },
      { words: "network inspect", aliases: ["show"], load: () => import("./commands/network-inspect.ts") },
      { words: "network update", load: () => import("./commands/network-update.ts") },
      { words: "network rm", aliases: ["remove", "delete"], load: () => import("./commands/network-rm.ts") },
      { words: "network prune", load: () => import("./commands/network-prune.ts") },
      { words: "network connect", load: () => import("./commands/network-connect.ts") },
      { words: "network disconnect", load: () => import("./commands/network-disconnect.ts") },
    ],
  },
  {
    title: "Containers",
    about: "Give namespaces and commands their networks",
    entries: [
      { words: "run", load: () => import("./commands/run.ts") },
      { words: "exec", load: () => import("./commands/exec.ts") },
      { words: "attach", load: () => import("./commands/attach.ts") },
      { words: "detach", load: () => import("./commands/detach.ts") },
      { words: "publish", load: () => import("./commands/publish.ts") },
      { words: "unpublish", load: () => import("./commands/unpublish.ts") },
      { words: "ps", aliases: ["ls", "list"], load: () => import("./commands/ps.ts") },
      { words: "inspect", load: () => import("./commands/inspect.ts") },
      { words: "logs", load: () => import("./commands/logs.ts") },
      { words: "stop", load: () => import("./commands/stop.ts") },
      { words: "rm", aliases: ["remove"], load: () => import("./commands/rm.ts") },
    ],
  },
  {
    title: "Firewall",
    word: "firewall",
    about: "Get along with other packet filters on this host",
    entries: [
      { words: "firewall status", load: () => import("./commands/firewall-status.ts") },
      { words: "firewall integrate", load: () => import("./commands/firewall-integrate.ts") },
      { words: "firewall rules", load: () => import("./commands/firewall-rules.ts") },
      { words: "firewall remove", aliases: ["rm"], load: () => import("./commands/firewall-remove.ts") },
    ],
  },
  {
    title: "Names",
    word: "dns",
    about: "What containers are told about names",
    entries: [
      { words: "dns query", load: () => import("./commands/dns-query.ts") },
      { words: "dns records", aliases: ["ls"], load: () => import("./commands/dns-records.ts") },
      { words: "dns status", load: () => import("./commands/dns-status.ts") },
      { words: "dns serve", load: () => import("./commands/dns-serve.ts") },
    ],
  },
  {
    title: "DHCP",
    word: "dhcp",
    about: "Addresses that servers on the network lend",
    entries: [{ words: "dhcp serve", load: () => import("./commands/dhcp-serve.ts") }],
  },
  {
    title: "Host",
    about: "The host as a whole, and linkspan itself",
    entries: [
      { words: "ui", load: () => import("./commands/ui.ts") },
      { words: "graph", load: () => import("./commands/graph.ts") },
      { words: "explain", load: () => import("./commands/explain.ts") },
      { words: "doctor", load: () => import("./commands/doctor.ts") },
      { words: "capture", load: () => import("./commands/capture.ts") },
      { words: "top", load: () => import("./commands/top.ts") },
      { words: "events", load: () => import("./commands/events.ts") },
      { words: "daemon", load: () => import("./commands/daemon.ts") },
      { words: "reconcile", load: () => import("./commands/reconcile.ts") },
      { words: "demo", load: () => import("./commands/demo.ts") },
      { words: "version", load: () => import("./commands/version.ts") },
      { words: "help", load: () => import("./commands/help.ts") },
      { words: "completion", load: () => import("./commands/completion.ts") },
      { words: "__complete", hidden: true, load: () => import("./commands/complete.ts") },
    ],
  },
]
