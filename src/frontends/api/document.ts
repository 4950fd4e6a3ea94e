// The OpenAPI document of what is served (https://spec.openapis.org/oas/v3.1.0).

import { z } from "zod"
import { VERSION } from "#model/version.ts"
import { EVENTS, ROUTES, type Route } from "./routes.ts"
import { Failure } from "./schemas.ts"

type Json = Record<string, unknown>

export function openApiDocument(): Json {
  const paths: Record<string, Json> = {}
  for (const route of [...ROUTES, EVENTS]) {
    const path = `/v1${route.path}`
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) }
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "linkspan",
      version: VERSION,
      description: "Container networks of a host. Requests and answers are those of the library and of `-o json`.",
    },
    servers: [{ url: "http://localhost", description: "At a unix socket: the name is of no meaning" }],
    paths,
    components: {
      schemas: components(),
      responses: {
        Failure: { description: "Not done, for the reason that it says", content: content(Failure, "output") },
      },
    },
  }
}

function operation(route: Omit<Route, "run">): Json {
  const names = [...route.path.matchAll(/\{([a-z]+)\}/g)].map(([, name = ""]) => name)
  const parameters = [
    ...names.map((name) => ({
      name,
      in: "path",
      required: true,
      schema: { type: "string" },
      description: "Name or id",
    })),
    ...Object.entries(route.query ?? {}).map(([name, description]) => ({
      name,
      in: "query",
      schema: { type: "string" },
      description,
    })),
  ]
  const type = route === EVENTS ? "application/x-ndjson" : "application/json"
  return {
    operationId: route.id,
    summary: route.about,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: content(route.body, "input") } }),
    responses: {
      200: { description: "Done", content: { [type]: { schema: schemaOf(route.answer, "output") } } },
      default: { $ref: "#/components/responses/Failure" },
    },
  }
}

function content(schema: z.ZodType, io: "input" | "output"): Json {
  return { "application/json": { schema: schemaOf(schema, io) } }
}

const REFERENCE = "#/components/schemas/"

/** What has a name of its own is referred to by it. */
function schemaOf(schema: z.ZodType, io: "input" | "output"): unknown {
  const id = z.globalRegistry.get(schema)?.id
  if (id !== undefined) {
    return { $ref: `${REFERENCE}${id}` }
  }
  const { $schema: _, $defs: __, ...rest } = z.toJSONSchema(schema, { io })
  return JSON.parse(JSON.stringify(rest).replaceAll('"#/$defs/', `"${REFERENCE}`))
}

function components(): Json {
  const { schemas } = z.toJSONSchema(z.globalRegistry, { uri: (id) => `${REFERENCE}${id}`, io: "output" })
  return Object.fromEntries(
    Object.entries(schemas)
      .filter(([name]) => name !== "__shared")
      .map(([name, { $schema: _, $id: __, id: ___, ...schema }]) => [name, schema]),
  )
}
