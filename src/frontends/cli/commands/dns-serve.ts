import { act } from "../command.ts"
import { plain } from "../print/look.ts"

export const command = act({
  summary: "Answer the names of containers, in the foreground",
  description: [
    "No command of yours: linkspan starts it by itself when the first container joins a network whose names are answered, and it ends when no container needs it. Run it yourself to have it supervised: by systemd with the unit that --systemd-unit prints, or by anything else.",
    "It writes to standard error; one that was started by itself to names.log in the run directory.",
  ],
  positionals: {},
  options: {
    "on-demand": { kind: "flag", about: "End when no container needs it" },
    stop: { kind: "flag", about: "End the one that runs; the next command that needs it starts another" },
    "systemd-unit": { kind: "flag", about: "Print a unit file for systemd" },
  },
  examples: [
    { line: "linkspan dns serve --systemd-unit > /etc/systemd/system/linkspan.service", about: "Have systemd run it" },
    { line: "linkspan dns serve --stop", about: "End it" },
  ],
  request: ({ options }, refuse, { env }) => {
    const chosen = ["on-demand", "stop", "systemd-unit"] as const
    if (chosen.filter((option) => options[option] === true).length > 1) {
      refuse("--stop", "stands alone, and so does --systemd-unit")
    }
    const ready = Number(env["LINKSPAN_READY_FD"])
    const manager = env["NOTIFY_SOCKET"]
    return {
      stop: options.stop === true,
      unit: options["systemd-unit"] === true,
      serve: {
        ...(options["on-demand"] === undefined ? {} : { onDemand: options["on-demand"] }),
        ...(Number.isInteger(ready) && ready > 2 ? { readyFd: ready } : {}),
        ...(manager === undefined || manager === "" ? {} : { notifySocket: manager }),
      },
    }
  },
  async act(session, { stop, unit, serve }) {
    const engine = await session.engine()
    if (unit) {
      await session.world.out(await engine.names.systemdUnit())
    } else if (stop) {
      await engine.names.stop()
    } else {
      const log = (line: string) => session.world.err(plain(line))
      await engine.names.serve({ ...serve, log, signal: session.world.stopSignal() })
    }
    return 0
  },
})
