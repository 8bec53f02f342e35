// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cores } from "../../machine/cores.ts";
import type { Certificate } from "../certificate.ts";
import type { Probe } from "../probe.ts";

/** Resources that a contender may use. */
export interface Site {
  readonly upstreamPort: number;
  /** A folder of the bench's own, deleted at its end. */
  readonly folder: string;
  /** The Node.js that runs Purser and the peers on Node.js. */
  readonly node: string;
  readonly cores: Cores;
  /** The certificate of contenders that clients reach over TLS, with HTTP/2 and HTTP/1.1 by ALPN; undefined without TLS. */
  readonly certificate?: Certificate;
  /** Whether clients and the upstream speak HTTP/2 without TLS, as gRPC does; default false. */
  readonly isGrpc?: boolean;
}

/** A proxy that is ready to be started. */
export interface Ready {
  readonly version: string;
  /** The loopback port on which it will listen. */
  readonly port: number;
  readonly command: readonly string[];
  /** Whether it is ready; default: it answers `GET /100` over HTTP/1.1. */
  readonly isAnswering?: Probe;
  /** Services that it asks. They are parts of the contender: they share its core. */
  readonly helpers?: readonly (readonly string[])[];
}

export interface Contender {
  readonly name: string;
  /** Shown by --help. */
  readonly summary: string;
  /** Finds or downloads the program and writes its configuration; resolves with the reason when it cannot run. */
  prepare(site: Site): Promise<Ready | { readonly missing: string }>;
}
