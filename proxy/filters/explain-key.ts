// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash, timingSafeEqual } from "node:crypto";

/** Whether the given key allows a request to ask for an explanation of its decision. */
export type ExplainKey = (given: string) => boolean;

/** Compares digests in constant time, so that timing reveals neither the key nor its length. */
export function createExplainKey(key: string): ExplainKey {
  const expected = digest(key);
  return (given) => timingSafeEqual(digest(given), expected);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
