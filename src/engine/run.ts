// Starts a command in a container of its own. Its networks are there before its first instruction runs: the process is
// made and held, the state learns of it, and only then is it let go. A linkspan that dies in between takes it along.

import { mkdirSync, rmSync } from "node:fs"
import { launch } from "#kernel/launch.ts"
import { Netns } from "#kernel/netns.ts"
import { privateDirectory } from "#kernel/private-files.ts"
import type { Child } from "#kernel/start.ts"
import { LinkspanError } from "#model/errors.ts"
import { accept } from "#model/field.ts"
import type { Id, Ifname } from "#model/name.ts"
import { quote } from "#model/quote.ts"
import type { RunRequest } from "#model/request.ts"
import type { Sandbox } from "#model/sandbox.ts"
import { checkRun, type Run } from "#model/validate-run.ts"
import type { Outcome } from "#model/view.ts"
import type { Op } from "#plan/op.ts"
import { entering } from "#plan/render.ts"
import { shellWords } from "#plan/shell-words.ts"
import type { Change } from "#store/journal.ts"
import { containerDns } from "./container-dns.ts"
import { availableName } from "./container-name.ts"
import { findSandbox, settled } from "./find.ts"
import type { Host } from "./host.ts"
import { exitFile, logFile, summarize } from "./inspect-container.ts"
import { joinNetworks } from "./join-networks.ts"
import { withLeases } from "./leases/with-leases.ts"
import type { MutationOptions, Running } from "./linkspan.ts"
import { containerFiles } from "./names/container-files.ts"
import { netnsPath } from "./netns-names.ts"
import { obstacleWarnings } from "./obstacles.ts"
import { removeContainer } from "./remove-container.ts"
import { runningOf } from "./running.ts"
import { sweep } from "./sweep.ts"
import { carryOut } from "./transaction.ts"

export async function run(host: Host, request: RunRequest, options: MutationOptions): Promise<Outcome<Running>> {
  const title = `run container${request?.name === undefined ? "" : ` ${quote(request.name)}`}`
  const wanted = accept(`Cannot ${title}`, checkRun(request))
  let child: Child | undefined
  let sandbox: Sandbox | undefined
  const outcome = carryOut(
    host,
    options,
    () => {
      const plan = decide(host, title, wanted, options)
      sandbox = plan.sandbox
      return {
        title,
        changes: plan.changes,
        ops: plan.ops,
        intent: "make" as const,
        warnings: wanted.publish.length > 0 ? obstacleWarnings(host) : [],
        start: () => {
          child = start(host, wanted, plan)
          sandbox = withProcess(plan.sandbox, wanted, child)
        },
        record: (writer) => writer.putSandbox(sandbox as Sandbox),
        result: () => summarize(host, sandbox as Sandbox),
      }
    },
    sweep,
  )
  const started = sandbox as Sandbox
  await withLeases(host, outcome, {
    title,
    sandbox: started.id,
    undo: () => {
      // Held until now, and so it has not run at all.
      child?.[Symbol.dispose]()
      removeContainer(host, started.id, { force: true })
    },
    result: () => outcome.result,
  })
  const plan = linesAround(host, started, wanted, outcome.plan)
  const running = child === undefined ? planned(outcome.result) : released(host, wanted, started, child)
  return { ...outcome, plan, result: running }
}

/** Makes the lines about the networks complete ones: a namespace before them, and the command in it behind them. */
function linesAround(host: Host, sandbox: Sandbox, wanted: Run, lines: readonly string[]): string[] {
  const command = `${shellWords(wanted.command)}${wanted.detach ? " &" : ""}`
  switch (wanted.mode.kind) {
    case "host":
      return [...lines, command]
    case "shared": {
      const owner = host.store.sandbox(sandbox.sharedWith as Id)?.body
      return [...lines, owner?.place === undefined ? command : `${entering(netnsPath(owner) as string)} ${command}`]
    }
    case "none":
    case "private":
      return [`ip netns add ${sandbox.name}`, ...lines, `${entering(sandbox.name)} ${command}`]
  }
}

interface Plan {
  readonly sandbox: Sandbox
  /** Undefined: the host's own. */
  readonly netns: Netns | undefined
  readonly changes: Change[]
  readonly ops: Op[]
}

function decide(host: Host, title: string, wanted: Run, options: MutationOptions): Plan {
  const name = availableName(host, title, wanted.name)
  const base = {
    id: host.newId(),
    name,
    hostname: wanted.hostname ?? name,
    createdAt: new Date().toISOString(),
    labels: wanted.labels,
    ...containerDns(host, title, wanted.dns),
  }
  switch (wanted.mode.kind) {
    case "host": {
      const sandbox: Sandbox = { ...base, mode: "host" }
      return {
        sandbox,
        netns: host.namespace.netns.isOwn ? undefined : host.namespace.netns,
        changes: [{ object: "sandbox", id: base.id, after: sandbox }],
        ops: [],
      }
    }
    case "shared": {
      const other = settled(findSandbox(host, title, wanted.mode.container), `container "${wanted.mode.container}"`)
      const owner = other.sharedWith ?? other.id
      const namespace = other.mode === "host" ? host.namespace : host.resolve(owner)
      if (namespace === undefined || !host.isAlive(other)) {
        throw new LinkspanError("CONTAINER_NOT_RUNNING", {
          message: `Cannot ${title}: container "${other.name}", whose network it shall use, is not running`,
          hint: "Start that one first",
        })
      }
      const sandbox: Sandbox = { ...base, mode: "shared", sharedWith: owner }
      return {
        sandbox,
        netns: namespace.netns.isOwn ? undefined : namespace.netns,
        changes: [{ object: "sandbox", id: base.id, after: sandbox }],
        ops: [],
      }
    }
    case "none": {
      const netns = Netns.create()
      host.adopt(base.id, netns)
      const sandbox: Sandbox = { ...base, mode: "none", netns: host.identify(netns) }
      return {
        sandbox,
        netns,
        changes: [{ object: "sandbox", id: base.id, after: sandbox }],
        ops: [{ kind: "link.set", netns: base.id, ifname: "lo" as Ifname, change: { up: true } }],
      }
    }
    case "private": {
      const netns = Netns.create()
      host.adopt(base.id, netns)
      const sandbox: Sandbox = { ...base, mode: "private", netns: host.identify(netns) }
      return {
        sandbox,
        netns,
        ...joinNetworks(host, { title, sandbox, joins: wanted.networks, publish: wanted.publish }, options),
      }
    }
  }
}

function start(host: Host, wanted: Run, { sandbox, netns, changes }: Plan): Child {
  const directory = host.containerDir(sandbox.id)
  privateDirectory(host.runDir)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const endpoints = changes.flatMap((change) => (change.object === "endpoint" ? (change.after ?? []) : []))
  try {
    return launch(
      {
        command: wanted.command,
        hostname: sandbox.hostname,
        env: wanted.env,
        capAdd: wanted.capAdd,
        hide: [host.stateDir, host.runDir],
        binds: containerFiles(host, sandbox, endpoints, wanted.rootfs ?? "/"),
        statusFile: exitFile(host, sandbox),
        ...(wanted.detach ? { logFile: logFile(host, sandbox), logLimit: wanted.log } : { endWithCaller: true }),
        ...(wanted.rootfs === undefined ? {} : { rootfs: wanted.rootfs }),
        ...(wanted.workdir === undefined ? {} : { workdir: wanted.workdir }),
        ...(wanted.user === undefined ? {} : { user: wanted.user }),
      },
      netns,
    )
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
}

function withProcess(sandbox: Sandbox, wanted: Run, child: Child): Sandbox {
  const { pid } = child.process
  return {
    ...sandbox,
    ...(sandbox.mode === "private" || sandbox.mode === "none"
      ? { place: { kind: "pid", pid, startTime: child.startTime } }
      : {}),
    process: {
      pid,
      startTime: child.startTime,
      command: wanted.command,
      detached: wanted.detach,
      // A foreground container leaves nothing to look at later: its output and its status went to the caller.
      autoRemove: wanted.autoRemove || !wanted.detach,
      ...(wanted.rootfs === undefined ? {} : { rootfs: wanted.rootfs }),
    },
  }
}

/** Lets the command run. When it cannot be executed, the container is gone again. */
function released(host: Host, wanted: Run, sandbox: Sandbox, child: Child): Running {
  try {
    child.release()
  } catch (error) {
    removeContainer(host, sandbox.id, { force: true })
    throw error
  }
  const exited = wanted.detach
    ? child.exited()
    : child.exited().then((status) => {
        removeContainer(host, sandbox.id, { force: true })
        return status
      })
  return runningOf(summarize(host, sandbox), child, exited)
}

/** What a dry run answers: a container that was not started. */
function planned(container: Running["container"]): Running {
  return {
    container,
    pid: 0,
    exited: Promise.resolve(0),
    kill: () => {},
    forwardSignals: () => ({ [Symbol.dispose]: () => {} }),
  }
}
