import { change } from "../command.ts"
import { portOrigins, portSpec } from "../parts/ports.ts"
import { publicationText } from "../print/publication.ts"
import { text } from "../value.ts"

export const command = change({
  summary: "Publish ports of a running container",
  positionals: {
    container: { kind: "required", value: text("CONTAINER", "container") },
    ports: { kind: "many", value: portSpec },
  },
  options: {},
  examples: [
    { line: "linkspan publish api 8080:80", about: "Port 8080 of every address of the host leads to port 80" },
    {
      line: "linkspan publish api 127.0.0.1::5432 53:53/udp",
      about: "A host port of linkspan's choice on loopback, and a UDP port",
    },
    { line: "linkspan publish api [::1]:8000-8009:80-89", about: "A range on one IPv6 address" },
  ],
  request: ({ positionals }) => ({
    container: positionals.container,
    ports: positionals.ports.map((spec) => spec.request),
  }),
  check: async (request) => (await import("#model/validate-publish.ts")).checkPublish(request.ports).issues,
  origins: ({ positionals }) => ({
    container: "CONTAINER",
    ...portOrigins("ports", "PORT", positionals.ports),
    ...portOrigins("", "PORT", positionals.ports),
  }),
  change: (engine, { container, ports }, options) => engine.publish(container, ports, options),
  show: (publications) => publications.map((publication) => `${publicationText(publication)}\n`).join(""),
})
