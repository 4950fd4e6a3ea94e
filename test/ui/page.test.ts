// time limit: 180 s
// The living picture in a real browser: what is on it is what iproute2 sees, at once, and nobody's box moves.

import { expect, test } from "bun:test"
import type { Explanation } from "../../src/model/explain.ts"
import { Host } from "../host.ts"
import type { IpObject, Program } from "../netns.ts"
import { until } from "../run.ts"
import { Browser } from "./browser.ts"

async function open(host: Host, listen = "127.0.0.1:0"): Promise<{ page: Program; address: string }> {
  const page = host.startCli(["ui", "--listen", listen])
  return { page, address: await page.nextLine(30_000) }
}

/** The pictures in docs/ are made here: LINKSPAN_UPDATE_DOCS=1. */
async function document(name: string, browser: Browser): Promise<void> {
  if (process.env["LINKSPAN_UPDATE_DOCS"] === "1") {
    await Bun.write(new URL(`../../docs/${name}`, import.meta.url), await browser.screenshot())
  }
}

const IDS = (kind: string): string =>
  `[...document.querySelectorAll('[data-kind="${kind}"]')].map((each) => each.getAttribute("data-id")).sort()`

interface Inspected {
  readonly id: string
  readonly endpoints: readonly { readonly addresses: readonly string[] }[]
}

test("shows what the kernel has and nothing else, at once, and moves nobody", async () => {
  await using host = await Host.create()
  const names = ["a", "b", "c", "d"]
  const netns = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await host.netns(name)] as const)),
  )
  const cli = async (...line: string[]) => (await host.cli(line)).ok().stdout
  const attach = (name: string, ...more: string[]) =>
    cli("attach", name, "--netns", netns[name]?.path ?? "", "--network", "web", ...more)
  await cli("network", "create", "web", "--ipv6")
  await cli("network", "create", "db")
  for (const name of ["a", "b", "c"]) {
    await attach(name, ...(name === "a" ? ["--network", "db", "-p", "8080:80"] : []))
  }
  const { page, address } = await open(host)
  {
    await using browser = await Browser.open(host, { width: 1400, height: 900 })
    await browser.call("Page.navigate", { url: address })
    await browser.when(`document.querySelectorAll('[data-kind="container"]').length === 3`, 30_000)
    expect(await browser.evaluate("location.href")).not.toContain("token")

    // Everything that a dump knows, and nothing else.
    const links = (await host.exec(["ip", "-j", "-d", "link"])).json<IpObject[]>()
    const veths = links.filter(
      ({ linkinfo, group }: IpObject & { group?: string }) => linkinfo?.info_kind === "veth" && group !== "default",
    )
    const cables = await browser.evaluate<string[]>(IDS("cable"))
    expect(cables.map((id) => id.split("/")[0] as string).sort()).toEqual(
      veths.map(({ ifname }) => ifname as string).sort(),
    )
    const bridges = links.filter(({ linkinfo }) => linkinfo?.info_kind === "bridge")
    const text = await browser.evaluate<string>(`document.querySelector("svg").textContent`)
    for (const { ifname } of bridges) {
      expect(text).toContain(ifname as string)
    }
    expect(await browser.evaluate<string[]>(IDS("network"))).toHaveLength(bridges.length)
    expect(await browser.evaluate<string[]>(IDS("link"))).toEqual(["host/lo", "host/uplink"])
    expect(text).toContain("8080 → 80/tcp")

    // One joins: there within 300 ms of the command's end, and the others stay where they were.
    const places = `Object.fromEntries([...document.querySelectorAll('[data-kind="container"] rect')].map((each) => [each.parentNode.getAttribute("data-id"), each.getAttribute("x") + "," + each.getAttribute("y")]))`
    const before = await browser.evaluate<Record<string, string>>(places)
    const shown = browser.evaluate<number>(`new Promise((resolve) => {
      const observer = new MutationObserver(() => {
        if (document.querySelectorAll('[data-kind="container"]').length === 4) { observer.disconnect(); resolve(Date.now()) }
      })
      observer.observe(document, { subtree: true, childList: true })
    })`)
    await attach("d")
    const ended = Date.now()
    expect((await shown) - ended).toBeLessThan(300)
    expect(await browser.evaluate<Record<string, string>>(places)).toMatchObject(before)
    await cli("detach", "b")
    await browser.when(`document.querySelectorAll('[data-kind="container"]').length === 3`)
    const after = await browser.evaluate<Record<string, string>>(places)
    for (const [id, place] of Object.entries(after)) {
      expect(before[id] ?? place).toBe(place)
    }

    // What somebody else does to a link is seen too.
    const { hostIfname } = JSON.parse(await cli("inspect", "c", "-o", "json"))[0].endpoints[0]
    await host.exec(["ip", "link", "set", hostIfname, "down"])
    await browser.evaluate(
      `document.querySelector('[data-kind="cable"][data-id^="${hostIfname}/"]').dispatchEvent(new MouseEvent("click", { bubbles: true }))`,
    )
    await browser.when(`document.querySelector("aside")?.textContent.includes("down")`)
    await host.exec(["ip", "link", "set", hostIfname, "up"])

    // The animated hops are those of explain.
    await browser.evaluate(`(() => {
      const set = (name, text) => { document.querySelector('form [name="' + name + '"]').value = text }
      set("from", "a"); set("to", "c:80")
      document.querySelector("form button").click()
    })()`)
    await browser.when(`document.querySelector("#verdict") !== null`, 30_000)
    const hops = await browser.evaluate<string[]>(
      `[...document.querySelectorAll("#hops li")].map((each) => each.firstChild.textContent)`,
    )
    const explained = JSON.parse((await host.cli(["explain", "a", "c:80", "-o", "json"])).stdout) as Explanation
    expect(hops).toEqual(explained.hops.map(({ place }) => place))
    expect(await browser.evaluate<number>(`document.querySelectorAll("svg .visited").length`)).toBeGreaterThan(2)
    expect(await browser.evaluate<number>(`document.querySelectorAll("svg .refused").length`)).toBe(
      explained.hops.some(({ failed }) => failed === true) ? 1 : 0,
    )

    // A packet that is refused is seen at who sent it, by the name of the rule.
    const daemon = host.startCli(["daemon"])
    const [inDb] = JSON.parse(await cli("inspect", "a", "-o", "json"))[0].endpoints[1].addresses
    const isSeen = async (): Promise<true | undefined> => {
      await netns["c"]?.connect(inDb.split("/")[0], 81)
      const stub = `document.querySelector('[data-kind="container"] [data-kind="refusal"]')?.textContent`
      return (await browser.evaluate<string | undefined>(stub))?.includes("stopped in chain refuse") ? true : undefined
    }
    expect(await until(isSeen, 20_000)).toBe(true)

    await document("ui.png", browser)
    process.kill(daemon.pid, "SIGTERM")
    await daemon.exited

    // Deep links, keyboard, search.
    await browser.evaluate(`dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }))`)
    const [id] = Object.keys(after)
    await browser.evaluate(`location.hash = "/${id}"`)
    await browser.when(`document.querySelector("aside")?.textContent.includes("${id}")`)
    await browser.evaluate(`document.dispatchEvent(new KeyboardEvent("keydown", { key: "/", bubbles: true }))`)
    expect(await browser.evaluate("document.activeElement.id")).toBe("search")
    const [{ id: found, endpoints }] = (await host.cli(["inspect", "c", "-o", "json"])).ok().json<Inspected[]>() as [
      Inspected,
    ]
    await browser.call("Input.insertText", { text: endpoints[0]?.addresses[0]?.split("/")[0] ?? "" })
    const others = (await browser.evaluate<string[]>(IDS("container"))).filter((id) => id !== found)
    await browser.when(`document.querySelectorAll("svg .faded").length === ${others.length}`)
    expect(others.length).toBeGreaterThan(1)
    expect(await browser.evaluate<number>(`document.querySelectorAll('svg .faded[data-id="${found}"]').length`)).toBe(0)

    // Nothing from anywhere else, and nothing to complain about.
    const { origin } = new URL(address)
    expect(browser.requests.filter((url) => new URL(url).origin !== origin && !url.startsWith("data:"))).toEqual([])
    expect(browser.complaints).toEqual([])
  }
  process.kill(page.pid, "SIGTERM")
  expect(await page.exited).toBe(0)
  await cli("detach", "a", "c", "d")
  await cli("network", "rm", "web", "db")
})

test("lets nobody in who does not have the token, comes by another name, or wants to be served on the network", async () => {
  await using host = await Host.create()
  const { page, address } = await open(host)
  const [origin = "", token = ""] = address.split("/#token=")
  const get = async (path: string, ...more: string[]) =>
    (await host.exec(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", ...more, `${origin}${path}`])).stdout
  const bearer = (text: string): string[] => ["-H", `authorization: Bearer ${text}`]
  expect(await get("/")).toBe("200")
  expect((await host.exec(["curl", "-s", "-D", "-", "-o", "/dev/null", origin])).stdout).toMatch(
    /^content-security-policy: default-src 'none'; script-src 'self'; /im,
  )
  expect(await get("/api/explain?from=host&to=internet")).toBe("401")
  expect(await get("/api/explain?from=host&to=internet", ...bearer(token.replace(/./, "x")))).toBe("401")
  expect(await get("/api/explain?from=host&to=internet", ...bearer(token))).toBe("200")
  expect(await get("/api/explain?from=host&to=host:99999", ...bearer(token))).toBe("400")
  expect(await get("/api/nothing", ...bearer(token))).toBe("404")
  expect(await get("/", "-X", "POST")).toBe("405")
  expect(await get("/", "-H", "host: evil.example")).toBe("421")
  expect((await host.exec(["ss", "-Hltn"])).stdout.trim().split(/\s+/)[3]).toBe(origin.replace("http://", ""))
  for (const [listen, code] of [
    ["0.0.0.0:0", 2],
    ["192.0.2.1:80", 2],
    ["127.0.0.1:99999", 2],
    ["elsewhere", 2],
    [origin.replace("http://", ""), 5],
  ] as const) {
    expect({ listen, code: (await host.cli(["ui", "--listen", listen])).code }).toEqual({ listen, code })
  }
  process.kill(page.pid, "SIGTERM")
  expect(await page.exited).toBe(0)
})
