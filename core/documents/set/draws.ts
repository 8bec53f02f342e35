// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { documentsOf, faultAt, type ParsedDocument } from "../document.ts";
import { displayName } from "../kinds/kind.ts";
import { QUOTA_POLICY, type QuotaPolicySpec } from "../kinds/quota-policy.ts";
import type { DocumentSet } from "./document-set.ts";

/** A step of a policy that draws on another policy. */
interface Draw {
  readonly index: number;
  readonly target: ParsedDocument;
}

/** Checks the QuotaPolicies that others draw on; `faultsOfReferences` reports unknown ones. */
export function faultsOfDraws(set: DocumentSet): readonly Diagnostic[] {
  const policies = documentsOf(set.documents, QUOTA_POLICY);
  const draws = new Map(policies.map((policy) => [policy, drawsOf(policy, set)]));
  return policies.flatMap((policy) =>
    (draws.get(policy) ?? []).flatMap(({ index, target }) => {
      const message = faultOfDraw(policy, target, draws);
      return message === undefined
        ? []
        : [faultAt(policy, "PURSER_REF_UNSUITABLE", ["spec", "beyond", index, "draw"], message)];
    }),
  );
}

function drawsOf(policy: ParsedDocument, set: DocumentSet): readonly Draw[] {
  if (!policy.valid) return [];
  const { beyond = [] } = policy.spec as QuotaPolicySpec;
  return beyond.flatMap(({ draw }, index) => {
    const target =
      draw === undefined ? undefined : set.resolve(QUOTA_POLICY.kind, draw, policy.metadata.namespace);
    return target === undefined || !target.valid ? [] : [{ index, target }];
  });
}

function faultOfDraw(
  policy: ParsedDocument,
  target: ParsedDocument,
  draws: ReadonlyMap<ParsedDocument, readonly Draw[]>,
): string | undefined {
  const name = displayName(target.metadata);
  if (target === policy) return `QuotaPolicy ${name} cannot draw on itself`;
  const circle = wayTo(policy, target, draws);
  if (circle !== undefined)
    return `QuotaPolicies draw on each other in a circle: ${[policy, ...circle].map(({ metadata }) => displayName(metadata)).join(" → ")}`;
  if ((target.spec as QuotaPolicySpec).mode === "shadow")
    return `QuotaPolicy ${name} is in shadow mode, so it would let every request pass; draw on an enforced policy`;
  const [own, other] = [unitOf(policy), unitOf(target)];
  if (own !== other)
    return `QuotaPolicy ${name} counts ${other}, and ${displayName(policy.metadata)} counts ${own}; draw on a policy with the same unit`;
  return undefined;
}

function unitOf({ spec }: ParsedDocument): string {
  const { algorithm, unit = "requests" } = spec as QuotaPolicySpec;
  return algorithm === "concurrency" ? "concurrent requests" : unit;
}

/** The policies from `from` to `to`, both included, along draws; undefined when no way leads there. */
function wayTo(
  to: ParsedDocument,
  from: ParsedDocument,
  draws: ReadonlyMap<ParsedDocument, readonly Draw[]>,
  seen = new Set<ParsedDocument>(),
): readonly ParsedDocument[] | undefined {
  if (from === to) return [from];
  if (seen.has(from)) return undefined;
  seen.add(from);
  for (const { target } of draws.get(from) ?? []) {
    const way = wayTo(to, target, draws, seen);
    if (way !== undefined) return [from, ...way];
  }
  return undefined;
}
