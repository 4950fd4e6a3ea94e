// linkspan as a CNI plugin: variables and a document in, a document out, and the status says whether it is an error.
// What can be answered without the engine loads none of it.
//
// https://github.com/containernetworking/cni/blob/main/SPEC.md

import type { Surroundings } from "#engine/front-door.ts"
import type { LinkspanOptions } from "#engine/linkspan.ts"
import type { Attachment, Command, Environment } from "./request.ts"
import type { Call } from "./verbs.ts"
import { VERSIONS, versionAnswer } from "./versions.ts"

type World = Pick<Surroundings, "env" | "readInput" | "out" | "err" | "open">

/** The specification's verbs, by whoever answers them. */
interface Verbs {
  /** @returns the document that is answered. */
  add(call: Call, attachment: Attachment): Promise<string>
  del(call: Call, attachment: Attachment): Promise<void>
  check(call: Call, attachment: Attachment): Promise<void>
  gc(call: Call): Promise<void>
  status(call: Call): Promise<void>
}

export function runCni(world: World): Promise<number> {
  return answer(world, () => import("./verbs.ts"))
}

/** Called as linkspan-ipam, by another plugin that makes the interfaces. */
export function runCniIpam(world: World): Promise<number> {
  return answer(world, () => import("./ipam.ts"))
}

async function answer(world: World, load: () => Promise<Verbs>): Promise<number> {
  const command = world.env["CNI_COMMAND"] ?? ""
  if (command === "VERSION") {
    await world.out(versionAnswer())
    return 0
  }
  if (command === "") {
    world.err(`linkspan as a CNI plugin, for versions ${VERSIONS.join(", ")} of the specification\n`)
    return 0
  }
  const { CniError, CODES, errorAnswer, toCniError } = await import("./cni-error.ts")
  let version: string = VERSIONS.at(-1) ?? ""
  try {
    const { COMMANDS, readAttachment, readConfig } = await import("./request.ts")
    const known = COMMANDS.find((each) => each === command)
    if (known === undefined) {
      throw new CniError(CODES.badEnvironment, `CNI_COMMAND=${JSON.stringify(command)} is unknown`, {
        details: `It is one of ${COMMANDS.join(", ")} and VERSION`,
      })
    }
    const attachment = readAttachment(known, world.env)
    const config = readConfig(known, await world.readInput(), world.env)
    version = config.version
    await using linkspan = await world.open(optionsOf(world.env))
    await world.out(await serve(known, await load(), { linkspan, env: world.env, config }, attachment))
    return 0
  } catch (error) {
    await world.out(errorAnswer(toCniError(error), version))
    return 1
  }
}

async function serve(command: Command, verbs: Verbs, call: Call, attachment: Attachment | undefined): Promise<string> {
  if (command === "GC") {
    await verbs.gc(call)
  } else if (command === "STATUS") {
    await verbs.status(call)
  } else if (attachment !== undefined && command === "ADD") {
    return await verbs.add(call, attachment)
  } else if (attachment !== undefined) {
    await (command === "DEL" ? verbs.del : verbs.check)(call, attachment)
  }
  return ""
}

function optionsOf(env: Environment): LinkspanOptions {
  const [stateDir, runDir, hostNetns, pools] = ["STATE_DIR", "RUN_DIR", "HOST_NETNS", "POOLS"].map((name) => {
    const value = env[`LINKSPAN_${name}`]
    return value === "" ? undefined : value
  })
  return {
    ...(stateDir === undefined ? {} : { stateDir }),
    ...(runDir === undefined ? {} : { runDir }),
    ...(hostNetns === undefined ? {} : { hostNetns }),
    ...(pools === undefined ? {} : { pools: pools.split(",") }),
  }
}
