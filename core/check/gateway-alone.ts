// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PathRead } from "../../expressions/runtime/reads/path-read.ts";
import type { Reads } from "../../expressions/runtime/reads/reads.ts";

/** The attribute of a request that a sidecar behind the edge decides too. */
const GATEWAY_ONLY = new PathRead(["context", "gateway", "only"], 0);

/**
 * Whether only the policies of the edge itself decide here, because a sidecar behind it decides all others. The read is
 * recorded, so that a cached decision of the edge is none of the sidecar's.
 */
export function isOfGatewayAlone(reads: Reads): boolean {
  return reads.valueOf(GATEWAY_ONLY) === true;
}
