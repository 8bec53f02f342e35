// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { MORE, type ProxyHeaderResult } from "./header-result.ts";
import { readHeaderV1 } from "./header-v1.ts";
import { readHeaderV2 } from "./header-v2.ts";

/** The first byte of version 2's signature; version 1 begins with a letter. */
const SIGNATURE_START = 0x0d;

/**
 * Reads a header of version 1 (text) or 2 (binary) at the start of `bytes`, which may be incomplete.
 *
 * Source: "The PROXY protocol, versions 1 & 2", haproxy, section 2.
 */
export function readProxyHeader(bytes: Buffer): ProxyHeaderResult {
  if (bytes.byteLength === 0) return MORE;
  return bytes[0] === SIGNATURE_START ? readHeaderV2(bytes) : readHeaderV1(bytes);
}
