import { change } from "../command.ts"
import { portOrigins, portSpec } from "../parts/ports.ts"
import { publicationText } from "../print/publication.ts"
import { text } from "../value.ts"

export const command = change({
  summary: "Take published ports of a running container back",
  positionals: {
    container: { kind: "required", value: text("CONTAINER", "container") },
    ports: { kind: "many", value: portSpec },
  },
  options: {},
  examples: [
    { line: "linkspan unpublish api 8080:80", about: "Written as it was published" },
    { line: "linkspan unpublish api 53/udp", about: "Wherever the container's port is published" },
  ],
  request: ({ positionals }) => ({
    container: positionals.container,
    ports: positionals.ports.map((spec) => spec.request),
  }),
  check: async (request) => (await import("#model/validate-publish.ts")).checkUnpublish(request.ports).issues,
  origins: ({ positionals }) => ({
    container: "CONTAINER",
    ...portOrigins("ports", "PORT", positionals.ports),
    ...portOrigins("", "PORT", positionals.ports),
  }),
  change: (engine, { container, ports }, options) => engine.unpublish(container, ports, options),
  show: (publications) => publications.map((publication) => `${publicationText(publication)}\n`).join(""),
})
