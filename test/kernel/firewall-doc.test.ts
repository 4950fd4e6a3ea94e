// docs/firewall.md shows the ruleset of today. LINKSPAN_UPDATE_DOCS=1 rewrites its generated parts; the listing in it
// is nft's own.

import { expect, test } from "bun:test"
import { rulesFingerprint } from "#plan/firewall/fingerprint.ts"
import { parseListing } from "#plan/firewall/listing.ts"
import { elementIdentity } from "#plan/firewall/render.ts"
import { baseRuleset, replaceRuleset } from "#plan/firewall/ruleset.ts"
import { needs } from "../features.ts"
import { run } from "../run.ts"
import {
  exampleElements,
  fenced,
  hookPicture,
  part,
  promiseList,
  reasonTable,
  setTable,
  withPart,
} from "./firewall-doc.ts"

const DOCUMENT = new URL("../../docs/firewall.md", import.meta.url)
const PRIORITIES = new URL("../../src/plan/firewall/priorities.ts", import.meta.url)
const UPDATE = process.env["LINKSPAN_UPDATE_DOCS"] === "1"

test("the tables in docs/firewall.md are not stale", async () => {
  const document = await Bun.file(DOCUMENT).text()
  const parts = {
    hooks: hookPicture(await Bun.file(PRIORITIES).text()),
    sets: setTable(),
    promises: promiseList(),
    reasons: reasonTable(),
  }
  const current = Object.entries(parts).reduce((text, [name, content]) => withPart(text, name, content), document)
  if (UPDATE) {
    await Bun.write(DOCUMENT, current)
  }
  expect(await Bun.file(DOCUMENT).text()).toBe(current)
})

needs("root", "nft-bridge")("the listing in docs/firewall.md is not stale", async () => {
  const listing = await listed(replaceRuleset(exampleElements()))
  if (UPDATE) {
    await Bun.write(DOCUMENT, withPart(await Bun.file(DOCUMENT).text(), "listing", fenced("nft", listing)))
  }
  const shown = part(await Bun.file(DOCUMENT).text(), "listing")
  // Another version of nft words some rules differently and puts elements in another order: compared is what is meant.
  expect(rulesFingerprint(shown)).toBe(rulesFingerprint(baseRuleset()))
  expect(identities(shown)).toEqual(identities(listing))
})

/** What nft prints of a ruleset, in a namespace that ends with it. */
async function listed(ruleset: string): Promise<string> {
  return (await run(["unshare", "--net", "sh", "-c", "nft -f - && nft list ruleset"], { input: ruleset })).ok().stdout
}

function identities(listing: string): string[] {
  return parseListing(listing).map(elementIdentity).sort()
}
