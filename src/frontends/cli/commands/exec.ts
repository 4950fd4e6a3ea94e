import { act } from "../command.ts"
import { follow } from "../foreground.ts"
import { ENVIRONMENT, readEnvironment } from "../parts/environment.ts"
import { text } from "../value.ts"

export const command = act({
  summary: "Run a further command inside a container",
  description: ["It has this terminal, signals are passed on, and its exit status becomes linkspan's."],
  positionals: { container: { kind: "required", value: text("CONTAINER", "container") } },
  rest: { metavar: "COMMAND [ARG…]", required: true },
  options: {
    ...ENVIRONMENT,
    workdir: { kind: "one", short: "w", value: text("DIR", "directory"), about: "Directory to start in" },
    user: { kind: "one", short: "u", value: text("USER[:GROUP]"), about: "Run as this user, by name or number" },
    interactive: {
      kind: "flag",
      short: "i",
      about: "Understood for the sake of habit: the command always has this stdin",
    },
    tty: { kind: "flag", short: "t", about: "Understood for the sake of habit: the command always has this terminal" },
  },
  examples: [
    { line: "linkspan exec api ip addr", about: "What the container sees" },
    { line: "linkspan exec --user nobody api -- sh -c 'id; pwd'", about: "As another user" },
  ],
  async request({ positionals, options, rest }, refuse, world) {
    return {
      container: positionals.container,
      command: rest,
      ...(await readEnvironment(options, world, refuse)),
      ...(options.workdir === undefined ? {} : { workdir: options.workdir }),
      ...(options.user === undefined ? {} : { user: options.user }),
    }
  },
  origins: () => ({ container: "CONTAINER", command: "COMMAND", env: "--env", workdir: "--workdir", user: "--user" }),
  async act(session, { container, ...request }) {
    const engine = await session.engine()
    return follow(await engine.exec(container, request))
  },
})
