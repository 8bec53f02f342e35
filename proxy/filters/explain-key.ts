// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash, timingSafeEqual } from "node:crypto";

/** Whether a request may ask why it is decided as it is. */
export type ExplainKey = (given: string) => boolean;

/** Compares digests in constant time, so that neither the key nor its length can be found by trying. */
export function createExplainKey(key: string): ExplainKey {
  const expected = digest(key);
  return (given) => timingSafeEqual(digest(given), expected);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
