import { expect, test } from "bun:test"
import { checkSetUp, checkTearDown } from "./validate-set-up.ts"

const NETWORK = { id: "aaaaaaaaaaaa", name: "theirs", subnets: [{ prefix: "10.90.0.0/24" }] }
const REQUEST = {
  id: "cccccccccccc",
  name: "c",
  netns: { kind: "path", path: "/run/netns/c" },
  networks: [{ network: NETWORK }],
}

test("checkSetUp() settles the networks that it describes", () => {
  const routes = [
    { destination: "10.9.0.0/16", via: "10.90.0.9" },
    { destination: "fd09::/64", type: "blackhole" },
  ]
  expect(checkSetUp({ ...REQUEST, networks: [{ network: { ...NETWORK, routes } }] }).value?.networks).toMatchObject([
    {
      network: NETWORK.id,
      description: {
        id: NETWORK.id,
        transient: true,
        subnets: [{ prefix: "10.90.0.0/24", gateway: "10.90.0.1" }],
        routes: [
          { destination: "10.9.0.0/16", via: "10.90.0.9", type: "unicast" },
          { destination: "fd09::/64", type: "blackhole" },
        ],
      },
    },
  ])
})

test.each<[string, object, string[]]>([
  ["another kind of id", { id: "CCCCCCCCCCCC" }, ["id"]],
  ["a namespace to be made", { netns: { kind: "new", name: "x" } }, ["netns"]],
  ["a network by name", { networks: [{ network: "web" }] }, ["networks[0].network"]],
  ["a network twice", { networks: [{ network: NETWORK }, { network: NETWORK }] }, ["networks[1].network"]],
  [
    "routes that lead nowhere, somewhere",
    {
      networks: [
        {
          network: {
            ...NETWORK,
            routes: [
              { destination: "10.0.0.0/8" },
              { destination: "10.0.0.0/8", type: "blackhole", via: "10.90.0.1" },
              { destination: "10.0.0.0/8", via: "fd00::1" },
            ],
          },
        },
      ],
    },
    ["networks[0].network.routes[0].via", "networks[0].network.routes[1].via", "networks[0].network.routes[2].via"],
  ],
])("checkSetUp() refuses %s", (_, change, paths) => {
  expect(checkSetUp({ ...REQUEST, ...change }).issues.map(({ path }) => path)).toEqual(paths)
})

test("checkTearDown() takes a container and, perhaps, networks", () => {
  expect(checkTearDown({ id: "cccccccccccc" }).value).toEqual({ id: "cccccccccccc" })
  expect(checkTearDown({ id: "cccccccccccc", networks: ["aaaaaaaaaaaa"] }).value?.networks).toEqual(["aaaaaaaaaaaa"])
  expect(checkTearDown({ id: "cccccccccccc", ifnames: ["eth0"] }).value?.ifnames as unknown).toEqual(["eth0"])
  expect(checkTearDown({ id: "c", networks: ["a"] }).issues.map(({ path }) => path)).toEqual(["id", "networks[0]"])
})
