import { expect, test } from "bun:test"
import type { LinkspanApi } from "#engine/linkspan.ts"
import { methodOf, reply } from "./answer.ts"

const NOBODY = {} as LinkspanApi

test("methodOf() takes the path with an origin, without one, and with Docker 20.10's empty host", () => {
  for (const url of [
    "http://plugin.moby.localhost/Plugin.Activate",
    "/Plugin.Activate",
    "http:///Plugin.Activate",
    "http://%2Frun%2Fx.sock/Plugin.Activate?x",
  ]) {
    expect(methodOf(url)).toBe("Plugin.Activate")
  }
})

test("reply() says what the plugin is without a body", async () => {
  expect(await reply(NOBODY, "/Plugin.Activate", "")).toEqual({
    status: 200,
    answer: { Implements: ["NetworkDriver", "IpamDriver"] },
  })
  expect((await reply(NOBODY, "/NetworkDriver.GetCapabilities", "")).answer).toMatchObject({ Scope: "local" })
})

test("reply() gives errors the shape that both of Docker's sides read", async () => {
  const lost = await reply(NOBODY, "/IpamDriver.RequestPool", "")
  expect(lost.status).toBe(500)
  expect(lost.answer["Err"]).toBe(lost.answer["Error"])
  expect(lost.answer["Err"]).toContain("has no body")
  expect(await reply(NOBODY, "/NetworkDriver.Join", "[]")).toMatchObject({ status: 500 })
  expect(await reply(NOBODY, "/NetworkDriver.Nothing", "{}")).toMatchObject({ status: 404 })
  expect((await reply(NOBODY, "/NetworkDriver.Join", "{}")).answer["Err"]).toContain("SandboxKey is missing")
})

test("reply() refuses what nobody would obey of an endpoint, all at once", async () => {
  const Options = {
    "com.docker.network.endpoint.ifname": "net7",
    "com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.log_martians=1",
    "com.docker.network.portmap": [],
    speed: "fast",
  }
  const body = JSON.stringify({ NetworkID: "n", EndpointID: "e", Interface: {}, Options })
  const refusal = async (origin: string): Promise<unknown> =>
    (await reply(NOBODY, `${origin}/NetworkDriver.CreateEndpoint`, body)).answer["Err"]
  expect(await refusal("")).toMatch(
    /^Cannot create an endpoint: \S+ifname is not possible, .*; \S+sysctls is not possible, .*; speed is no option of an endpoint$/,
  )
  // Later versions of Docker obey it themselves.
  expect(await refusal("http://plugin.moby.localhost")).not.toContain("sysctls")
})
