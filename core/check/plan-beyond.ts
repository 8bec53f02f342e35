// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { BeyondTemplate, QuotaPolicy } from "../snapshot/snapshot.ts";

/** A step of `beyond`, with the placed policy that it draws on. */
export type PlannedStep<P> =
  | Exclude<BeyondTemplate, { readonly kind: "draw" }>
  | { readonly kind: "draw"; readonly policy: P };

/**
 * The steps of a policy, with those of the policies that it draws on after each draw, as far as they help this
 * request too: a draw on a third policy, and a degradation. The wait of another policy's queue is left out, and
 * so is whatever would follow a degradation or draw on a policy again. Empty in shadow mode, which never acts.
 *
 * @param policies All quota policies by display name; documents that draw in a circle are refused before.
 */
export function planBeyond<P extends { readonly document: QuotaPolicy }>(
  { name, mode, beyond }: QuotaPolicy,
  policies: ReadonlyMap<string, P>,
): readonly PlannedStep<P>[] {
  const steps: PlannedStep<P>[] = [];
  const drawn = new Set([name]);
  if (mode === "enforce") add(beyond, true);
  return steps;

  /** @returns Whether later steps may still be reached. */
  function add(templates: readonly BeyondTemplate[], own: boolean): boolean {
    for (const template of templates) {
      if (template.kind === "queue") {
        if (own) steps.push(template);
      } else if (template.kind === "degrade") {
        steps.push(template);
        return false;
      } else {
        const policy = policies.get(template.policy);
        if (policy === undefined || drawn.has(template.policy)) continue;
        drawn.add(template.policy);
        steps.push({ kind: "draw", policy });
        if (!add(policy.document.beyond, false)) return false;
      }
    }
    return true;
  }
}
