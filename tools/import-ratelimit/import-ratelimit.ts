// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DocumentFile } from "../../core/documents/yaml/read-yaml.ts";
import { type Checked, compareDiagnostics, type Diagnostic } from "../../kernel/diagnostic.ts";
import type { EntryExpressions } from "./actions.ts";
import { descriptorsOfKeys, readDescriptors } from "./descriptors.ts";
import { type ImportedPolicy, policiesOf } from "./policies.ts";
import { readRateLimitConfig } from "./ratelimit-config.ts";
import { openYaml } from "./yaml-part.ts";

export interface ImportInput {
  /** The configuration of a domain of envoyproxy/ratelimit. */
  readonly config: DocumentFile;
  /** The Envoy configuration with the actions; without it each key is an entry of `expressions`. */
  readonly actions?: DocumentFile;
  /** Expressions for the entries of some keys. */
  readonly expressions: EntryExpressions;
  /** Condition of the requests that Envoy asks about. */
  readonly match?: string;
}

/**
 * The QuotaPolicies with the meaning of a configuration of envoyproxy/ratelimit, or all parts that have no
 * counterpart, with their locations. Pure.
 */
export function importRateLimit(input: ImportInput): Checked<readonly ImportedPolicy[]> {
  const { config, actions, expressions, match } = input;
  const faults: Diagnostic[] = [];
  const policies = convert();
  const diagnostics = faults.toSorted(compareDiagnostics);
  // Warnings of a configuration that is not converted may be results of its errors.
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  return errors.length > 0
    ? { ok: false, diagnostics: errors }
    : { ok: true, value: policies, warnings: diagnostics };

  function convert(): readonly ImportedPolicy[] {
    const root = openYaml(config, faults);
    const domain = root === undefined ? undefined : readRateLimitConfig(root);
    const envoy = actions === undefined ? undefined : openYaml(actions, faults);
    if (domain === undefined || (actions !== undefined && envoy === undefined)) return [];
    const descriptors =
      envoy === undefined
        ? descriptorsOfKeys(domain, expressions, faults)
        : readDescriptors(envoy, expressions, match !== undefined);
    return policiesOf(domain, descriptors, match, faults);
  }
}
