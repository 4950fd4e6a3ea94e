import { act } from "../command.ts"
import { absolute, GLOBAL_OPTIONS } from "../globals.ts"
import { listenAddress, listenText } from "../parts/listen.ts"
import { plain } from "../print/look.ts"
import { text } from "../value.ts"
import type { ServicesOptions } from "../world.ts"

export const command = act({
  summary: "Serve other programs and commands, in the foreground",
  description: [
    "Nothing needs it: every command does its work by itself. Where it runs, commands that change networks hand their work to it and are done sooner, also those of Podman and of a CNI runtime, since it is an engine that has started already. What somebody damages of linkspan's on this host it puts right (docs/watch.md).",
    "The installed executable leaves one behind by itself when it has changed something, for the commands after it and nothing else: it ends five minutes after the last one, and makes way for one that you start. LINKSPAN_RESIDENT=off in a command's environment keeps it from doing so.",
  ],
  positionals: {},
  options: {
    heal: {
      kind: "flag",
      negatable: true,
      about: "Whether to put right what somebody damages of linkspan's on this host (the default)",
    },
    "docker-plugin": { kind: "flag", about: "Be Docker's network and IPAM plugin (docs/docker.md)" },
    "docker-api": { kind: "flag", about: "Serve Docker's API for networks at docker.sock in the run directory" },
    "docker-socket": {
      kind: "one",
      value: text("PATH", "file"),
      about: "Serve it at this path instead",
    },
    "docker-group": {
      kind: "one",
      value: text("GROUP"),
      about: "The group that may use it, by name or number; nobody but root when absent",
    },
    "docker-tls": {
      kind: "one",
      value: listenAddress,
      about: "Serve it there as well, to clients with certificates; at 127.0.0.1 unless an address is given",
    },
    "docker-certificates": {
      kind: "one",
      value: text("DIRECTORY", "directory"),
      about: "Where ca.pem, cert.pem and key.pem are for --docker-tls",
    },
    metrics: {
      kind: "one",
      value: listenAddress,
      about: "Serve OpenMetrics at /metrics, at 127.0.0.1 unless an address is given",
    },
    ui: {
      kind: "one",
      value: text("ADDRESS:PORT"),
      about: "Serve the page of linkspan ui at this loopback address; ui.address in the run directory has its address",
    },
    "on-demand": {
      kind: "flag",
      about: "Serve commands only, and end when none has come for five minutes; commands start it so by themselves",
    },
    stop: { kind: "flag", about: "End the one that runs" },
    "systemd-unit": { kind: "flag", about: "Print a unit file for systemd" },
  },
  examples: [
    { line: "linkspan daemon --systemd-unit > /etc/systemd/system/linkspan.service", about: "Have systemd run it" },
    { line: "linkspan daemon --stop", about: "End it" },
  ],
  request: ({ options }, refuse, { env, directory }) => {
    if (options.stop === true && options["systemd-unit"] === true) {
      refuse("--stop", "excludes --systemd-unit")
    }
    const { "docker-socket": socket, "docker-group": group, "docker-tls": address } = options
    const certificates = options["docker-certificates"]
    if ((address === undefined) !== (certificates === undefined)) {
      refuse(
        address === undefined ? "--docker-certificates" : "--docker-tls",
        "needs the other: --docker-tls and --docker-certificates",
      )
    }
    const places = {
      ...(socket === undefined ? {} : { socket: absolute(socket, directory) }),
      ...(group === undefined ? {} : { group }),
      ...(address === undefined || certificates === undefined
        ? {}
        : { tls: { ...address, certificates: absolute(certificates, directory) } }),
    }
    // Whoever says where means that it shall be.
    const dockerApi = options["docker-api"] === true || Object.keys(places).length > 0 ? places : undefined
    const onDemand = options["on-demand"] === true
    const others = Object.entries(options).flatMap(([option, value]) =>
      value === undefined || option === "on-demand" || Object.hasOwn(GLOBAL_OPTIONS, option) ? [] : option,
    )
    if (onDemand && others.length > 0) {
      refuse("--on-demand", `excludes ${others.map((option) => `--${option}`).join(", ")}`)
    }
    const manager = env["NOTIFY_SOCKET"]
    const lockFd = Number(env["LINKSPAN_LOCK_FD"])
    return {
      stop: options.stop === true,
      unit: options["systemd-unit"] === true,
      chosen: {
        onDemand,
        heal: options.heal ?? true,
        dockerPlugin: options["docker-plugin"] === true,
        ...(dockerApi === undefined ? {} : { dockerApi }),
        ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
        ...(options.ui === undefined ? {} : { ui: options.ui }),
      },
      onDemand,
      ...(onDemand && Number.isInteger(lockFd) && lockFd > 2 ? { lockFd } : {}),
      ...(manager === undefined || manager === "" ? {} : { notifySocket: manager }),
    }
  },
  async act(session, { stop, unit, chosen, ...told }) {
    const { world, globals } = session
    const linkspan = await session.engine()
    if (unit) {
      await world.out(await linkspan.resident.systemdUnit(optionsOf(chosen)))
      return 0
    }
    if (stop) {
      await linkspan.resident.stop()
      return 0
    }
    const own = new AbortController()
    const log = (line: string): void => world.err(plain(line))
    const stopSelf = (): void => own.abort()
    const services = world.services({ linkspan, engine: globals.engine, ...chosen, log, stop: stopSelf })
    const signal = AbortSignal.any([own.signal, world.stopSignal()])
    await linkspan.resident.serve({ services, signal, log, ...told })
    return 0
  },
})

type Chosen = Pick<ServicesOptions, "onDemand" | "heal" | "dockerPlugin" | "dockerApi" | "metrics" | "ui">

/** The command line that chooses the same again. */
function optionsOf({ heal, dockerPlugin, dockerApi, metrics, ui }: Chosen): string[] {
  return [
    ...(heal ? [] : ["--no-heal"]),
    ...(dockerPlugin ? ["--docker-plugin"] : []),
    ...(dockerApi === undefined ? [] : ["--docker-api"]),
    ...(dockerApi?.socket === undefined ? [] : [`--docker-socket=${dockerApi.socket}`]),
    ...(dockerApi?.tls === undefined
      ? []
      : [`--docker-tls=${listenText(dockerApi.tls)}`, `--docker-certificates=${dockerApi.tls.certificates}`]),
    ...(dockerApi?.group === undefined ? [] : [`--docker-group=${dockerApi.group}`]),
    ...(ui === undefined ? [] : [`--ui=${ui}`]),
    ...(metrics === undefined ? [] : [`--metrics=${listenText(metrics)}`]),
  ]
}
