// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import type { ResourceSet } from "../../core/traffic/resources/resource-set.ts";

/** The resources under a version that is a digest of them: the same resources in the same order always have the same version. */
export function resourceSetOf<R extends { readonly name: string }>(resources: readonly R[]): ResourceSet<R> {
  const version = createHash("sha256").update(JSON.stringify(resources)).digest("hex").slice(0, 16);
  return { version, resources };
}
