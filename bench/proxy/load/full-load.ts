// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Children } from "../../machine/children.ts";

/** The figures of one run at full load. */
export interface FullLoad {
  readonly requestsPerSecond: number;
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Responses other than 2xx and 3xx, socket errors and time-outs. */
  readonly errors: number;
}

/** Sends one workload to a loopback port, as many requests as it answers, for the time. */
export type Loader = (
  children: Children,
  at: { readonly core: number; readonly port: number; readonly seconds: number },
) => Promise<FullLoad>;
