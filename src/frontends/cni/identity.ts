// What linkspan calls what a runtime calls otherwise. Ids are computed, so that DEL finds what ADD made without a look
// at anything but its own variables.

import { isName } from "#model/name.ts"
import type { Config } from "./request.ts"

/** Says who made a container, and under which id the runtime knows it. */
export const CONTAINER_LABEL = "cni.container-id"

const LONGEST_NAME = 63

function idOf(kind: string, text: string): string {
  return new Bun.CryptoHasher("sha256").update(`cni ${kind} ${text}`).digest("hex").slice(0, 12)
}

export function sandboxId(containerId: string): string {
  return idOf("container", containerId)
}

export function networkId(name: string): string {
  return idOf("network", name)
}

/** Of the interfaces that other plugins of the network make. */
export function chainedNetworkId(name: string): string {
  return idOf("chained network", name)
}

/** Of the addresses that linkspan-ipam gives for the network. */
export function poolId(name: string): string {
  return idOf("addresses", name)
}

/** The network's own name, where that is one for linkspan too. */
export function networkName(name: string): string {
  return isName(name) ? name : `cni-${networkId(name)}`
}

/** As people know it: "pod.namespace" in Kubernetes (and the container's name from podman), else the runtime's id. */
export function containerName({ variables }: Pick<Config, "variables">, containerId: string): string {
  const pod = variables.get("K8S_POD_NAME") ?? ""
  const namespace = variables.get("K8S_POD_NAMESPACE") ?? ""
  const candidates = [pod === "" || namespace === "" ? pod : `${pod}.${namespace}`, pod, containerId]
  const short = containerId.slice(0, LONGEST_NAME)
  return candidates.find(isName) ?? (isName(short) ? short : `cni-${sandboxId(containerId)}`)
}

export function containerLabels({ variables, args }: Pick<Config, "variables" | "args">, containerId: string) {
  const fromPod = { K8S_POD_NAME: "name", K8S_POD_NAMESPACE: "namespace", K8S_POD_UID: "uid" }
  const labels: Record<string, string> = { [CONTAINER_LABEL]: containerId }
  for (const [variable, key] of Object.entries(fromPod)) {
    const value = variables.get(variable)
    if (value !== undefined && value !== "") {
      labels[`io.kubernetes.pod.${key}`] = value
    }
  }
  for (const { key, value } of argsLabels(args)) {
    labels[key] = value
  }
  return labels
}

function argsLabels(args: Config["args"]): { key: string; value: string }[] {
  const labels = args.get("labels")
  return Array.isArray(labels)
    ? labels.filter(
        (label): label is { key: string; value: string } =>
          typeof label?.key === "string" && typeof label?.value === "string",
      )
    : []
}
