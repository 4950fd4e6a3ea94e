// A real DHCP server for tests: dnsmasq in a namespace, with what it logs.

import type { Netns, Program } from "../netns.ts"

export interface DhcpServerOptions {
  readonly ifname: string
  /** Where it remembers its leases. */
  readonly leaseFile: string
  /** Of the form "FIRST,LAST,MASK". */
  readonly range: string
  /** Two minutes when absent, which is the least that dnsmasq knows. */
  readonly leaseSeconds?: number
  /** Further arguments, "--dhcp-option=…". */
  readonly more?: readonly string[]
}

export class DhcpServer implements AsyncDisposable {
  readonly #program: Program

  private constructor(program: Program) {
    this.#program = program
  }

  static async start(netns: Netns, options: DhcpServerOptions): Promise<DhcpServer> {
    const command = [
      ...[
        "dnsmasq",
        "--no-daemon",
        "--user=root",
        "--conf-file=/dev/null",
        "--port=0",
        "--log-facility=-",
        "--log-dhcp",
      ],
      // --no-ping: it would look for somebody at the address for three seconds before it offers it.
      ...[`--interface=${options.ifname}`, "--bind-interfaces", "--no-ping", "--dhcp-authoritative"],
      `--dhcp-leasefile=${options.leaseFile}`,
      `--dhcp-range=${options.range},${options.leaseSeconds ?? 120}`,
      ...(options.more ?? []),
    ]
    // It logs to standard error.
    const server = new DhcpServer(netns.start(["sh", "-c", 'exec "$@" 2>&1', "sh", ...command]))
    await server.says(/DHCP, IP range|DHCP, sockets bound/)
    return server
  }

  get log(): string {
    return this.#program.stdout
  }

  /** The next line that matches. @throws Error when none does in time */
  async says(pattern: RegExp, timeoutMs = 20_000): Promise<string> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const line = await this.#program.nextLine(Math.max(1, deadline - performance.now()))
      if (pattern.test(line)) {
        return line
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.stop()
  }
}
