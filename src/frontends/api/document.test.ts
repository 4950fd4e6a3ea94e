import { expect, test } from "bun:test"
import { Validator } from "@seriousme/openapi-schema-validator"
import { openApiDocument } from "./document.ts"
import { EVENTS, ROUTES } from "./routes.ts"

const DOCUMENT = new URL("../../../docs/openapi.json", import.meta.url)
const UPDATE = process.env["LINKSPAN_UPDATE_DOCS"] === "1"

test("docs/openapi.json is not stale", async () => {
  const current = `${JSON.stringify(openApiDocument(), null, 2)}\n`
  if (UPDATE) {
    await Bun.write(DOCUMENT, current)
  }
  expect(await Bun.file(DOCUMENT).text()).toBe(current)
})

test("the document is one of OpenAPI, and what it refers to is there", async () => {
  const document = openApiDocument()
  expect(await new Validator().validate(document)).toMatchObject({ valid: true })
  const { schemas } = document["components"] as { schemas: Record<string, unknown> }
  const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([A-Za-z]+)"/g)
  const missing = [...new Set([...references].map(([, name = ""]) => name))].filter((name) => !(name in schemas))
  expect(missing).toEqual([])
})

test("every route is in the document, under a name of its own", () => {
  const routes = [...ROUTES, EVENTS]
  const paths = openApiDocument()["paths"] as Record<string, Record<string, { operationId: string }>>
  for (const { id, method, path } of routes) {
    expect(paths[`/v1${path}`]?.[method.toLowerCase()]?.operationId).toBe(id)
  }
  expect(new Set(routes.map(({ id }) => id)).size).toBe(routes.length)
})
