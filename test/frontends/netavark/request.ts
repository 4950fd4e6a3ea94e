// Requests as Podman 4 and 5 make them.

export const NETWORK = {
  name: "n1",
  id: "8e1e5bf24714a5b51ddf672f83cc5c9b6b8243b58428b632eb759b8e96e76c46",
  driver: "bridge",
  network_interface: "podman1",
  subnets: [{ subnet: "10.89.0.0/24", gateway: "10.89.0.1" }],
  ipv6_enabled: false,
  internal: false,
  dns_enabled: true,
  ipam_options: { driver: "host-local" },
}
export const PORT = { host_ip: "", container_port: 80, host_port: 8080, range: 1, protocol: "tcp" }

export interface Parts {
  readonly number?: number
  readonly network?: object
  readonly attachment?: object
  readonly ports?: readonly object[]
  readonly rest?: object
}

/** What Podman would send for container `number` of network n1, with parts of it changed. */
export function options({ number = 1, network, attachment, ports = [], rest }: Parts = {}): object {
  return {
    container_id: number.toString(16).padStart(12, "0").padEnd(64, "e"),
    container_name: `c${number}`,
    networks: { n1: { static_ips: [`10.89.0.${number + 1}`], interface_name: "eth0", aliases: [], ...attachment } },
    network_info: { n1: { ...NETWORK, ...network } },
    port_mappings: ports,
    ...rest,
  }
}
