// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cores } from "../../machine/cores.ts";

/** Resources that a contender may use. */
export interface Site {
  readonly upstreamPort: number;
  /** A folder of the bench's own, deleted at its end. */
  readonly folder: string;
  /** The Node.js that runs Purser and the peers on Node.js. */
  readonly node: string;
  readonly cores: Cores;
}

/** A proxy that is ready to be started. */
export interface Ready {
  readonly version: string;
  /** The loopback port on which it will listen. */
  readonly port: number;
  readonly command: readonly string[];
  /** The path that it answers with 200 once it is ready; default `/100`. */
  readonly probePath?: string;
  /** Services that it asks, which run on the core of the load. */
  readonly helpers?: readonly (readonly string[])[];
}

export interface Contender {
  readonly name: string;
  /** Shown by --help. */
  readonly summary: string;
  /** Finds or downloads the program and writes its configuration; resolves with the reason when it cannot run. */
  prepare(site: Site): Promise<Ready | { readonly missing: string }>;
}
