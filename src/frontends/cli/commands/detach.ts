import { change } from "../command.ts"
import { changeEach } from "../each.ts"
import { text } from "../value.ts"

export const command = change({
  summary: "Take containers off all their networks and forget them",
  description: [
    "The namespace stays, unless linkspan made it with attach --new. The JSON form is a list, one element a container.",
  ],
  positionals: { containers: { kind: "many", value: text("CONTAINER", "container") } },
  options: {},
  examples: [{ line: "linkspan detach api", about: "Undo linkspan attach api" }],
  request: ({ positionals }) => positionals.containers,
  origins: () => ({ container: "CONTAINER" }),
  change: (engine, containers, options) => changeEach(containers, (container) => engine.detach(container, options)),
  show: (detached) => detached.map(({ name }) => `${name}\n`).join(""),
})
