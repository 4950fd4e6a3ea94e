// What the command line has around it: environment, streams, signals, files, the engine. One object, so that tests run
// whole commands without a process, a terminal or root.

import type { LinkspanApi, LinkspanOptions } from "#engine/linkspan.ts"
import type { Service } from "#model/service.ts"
import type { ListenAddress } from "./parts/listen.ts"
import type { Look } from "./print/look.ts"

export interface World extends Doors {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly directory: string
  open(options: LinkspanOptions): Promise<LinkspanApi>
  /** Results: the only thing that ever goes to stdout. False once nobody reads any more (EPIPE). */
  out(output: string | Uint8Array): Promise<boolean>
  /** Aborted once nobody reads stdout any more: for what goes on without anything to write. */
  unread(): Promise<AbortSignal>
  /** One line for people, on stderr. At once, also from within a synchronous engine. */
  err(line: string): void
  /** A line on a terminal's stderr that the next one replaces; "" clears it. Nothing elsewhere. */
  progress(line: string): void
  readonly stdoutLook: () => Look
  readonly stderrLook: () => Look
  /** Asked without loading node:tty. */
  readonly stderrIsTerminal: () => Promise<boolean>
  /** Aborted when somebody tells this process to end. From the call on, that no longer ends it by itself. */
  stopSignal(): AbortSignal
  readText(path: string): Promise<string>
  /** Emptied when it is there, else made for its owner alone. */
  createFile(path: string): Promise<FileOutput>
}

export interface FileOutput extends AsyncDisposable {
  write(bytes: Uint8Array): Promise<void>
}

/** Front doors of their own that commands open; main.ts knows where they live. */
export interface Doors {
  demo(options: DemoOptions): Promise<number>
  /** The page in a browser. */
  ui(linkspan: LinkspanApi, options: { readonly listen?: string }): Promise<Service>
  /** The resident process's services, not yet started. */
  services(options: ServicesOptions): readonly (() => Promise<Service>)[]
}

export interface ServicesOptions {
  readonly linkspan: LinkspanApi
  readonly engine: LinkspanOptions
  /** Whether what somebody damages is put right. */
  readonly heal: boolean
  /** Nobody asked for it: only commands are served, as long as there are some. */
  readonly onDemand: boolean
  /** Docker's clients are served when it is there. */
  readonly dockerApi?: {
    readonly socket?: string
    /** Name or number. */
    readonly group?: string
    readonly tls?: ListenAddress & { readonly certificates: string }
  }
  /** One line for people. */
  log(line: string): void
  /** Whether it is Docker's network and IPAM plugin. */
  readonly dockerPlugin: boolean
  /** Where the page is served; nowhere when absent. */
  readonly ui?: string
  /** Where metrics are served; nowhere when absent. */
  readonly metrics?: { readonly hostname: string; readonly port: number }
  /** Ends the process. */
  stop(): void
}

export interface DemoOptions {
  readonly colour: boolean
  readonly json: boolean
  readonly debug: boolean
}
