// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HeaderList } from "../contract/header-list.ts";

/** Fields in the form in which node:http takes trailers. */
export function fieldPairs(headers: HeaderList): [string, string][] {
  const flat = headers.wire();
  const pairs: [string, string][] = [];
  for (let index = 0; index < flat.length; index += 2) {
    pairs.push([flat[index] as string, flat[index + 1] as string]);
  }
  return pairs;
}
