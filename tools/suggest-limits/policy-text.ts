// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { stringify } from "yaml";
import type { QuotaAlgorithm } from "../../core/quota/quota-definition.ts";

/** The fields of the policy that limits are proposed for. */
export interface ProposedPolicy {
  /** Expressions of the key by name; empty for a single count. */
  readonly key: ReadonlyMap<string, string>;
  readonly match?: string;
  /** A duration, such as `1m`. */
  readonly window: string;
  readonly algorithm: QuotaAlgorithm;
}

/** A QuotaPolicy document in shadow mode. */
export function policyText(
  name: string,
  { key, match, window, algorithm }: ProposedPolicy,
  limit: number,
): string {
  const spec = {
    ...(match === undefined ? {} : { match }),
    ...(key.size === 0 ? {} : { key: Object.fromEntries(key) }),
    limit,
    window,
    algorithm,
    mode: "shadow",
  };
  const document = { apiVersion: "purser.dev/v1", kind: "QuotaPolicy", metadata: { name }, spec };
  return stringify(document, { lineWidth: 0 });
}
