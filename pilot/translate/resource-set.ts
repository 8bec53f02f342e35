// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import type { ResourceSet } from "../../core/traffic/resources/resource-set.ts";

/** A set whose version is a digest of its resources: equal resources in equal order have the same version. */
export function resourceSetOf<R extends { readonly name: string }>(resources: readonly R[]): ResourceSet<R> {
  const version = createHash("sha256").update(JSON.stringify(resources)).digest("hex").slice(0, 16);
  return { version, resources };
}
