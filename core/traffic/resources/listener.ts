// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PathNormalization } from "../../../kernel/canonical/path.ts";

export interface Listener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** `outbound`: on the client's side of the call (edge and sidecar outbound). `inbound`: before the service itself. */
  readonly direction: "inbound" | "outbound";
  readonly routeTable: string;
  /**
   * Where the downstream is not trusted (an edge), forwarding headers are taken only from `trustedHops` proxies in
   * front, and `x-request-id` and Purser's own headers are made anew.
   */
  readonly edge: boolean;
  readonly trustedHops: number;
  readonly pathNormalization: PathNormalization;
}
