// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { refusalOf } from "../../../../core/attributes/added-attributes.ts";
import type { AttributeBag } from "../../../../core/attributes/bag.ts";
import type { HandlerHooks } from "../../../../core/hooks/hooks.ts";
import type { AttributeSpec } from "../../../../expressions/manifest/manifest-spec.ts";
import { type AttributeManifest, mergeManifests } from "../../../../expressions/manifest/manifest.ts";
import { isPurserError } from "../../../../kernel/errors.ts";
import { deepFreeze } from "../deep-freeze.ts";
import { reportedBag, requestBag, unusualBags } from "../sample-bags.ts";
import { BLOCKING_MS, timed } from "./blocking.ts";
import { type ContractClause, describeError } from "./clause.ts";
import { type CallOutcome, outcomeOf } from "./outcome.ts";
import { applied, deadlineOf, type PluginSubject, withHandler } from "./plugin-subject.ts";

/** Clauses about the hooks that pass bags. */
export const PLUGIN_TAP_CLAUSES: readonly ContractClause<PluginSubject>[] = [
  { name: "adds only attributes that it declares, to unusual bags too", check: addsDeclaredAttributes },
  { name: "takes reported bags, unusual ones too", check: takesReportedBags },
];

async function addsDeclaredAttributes(subject: PluginSubject): Promise<readonly string[]> {
  const { manifest, faults } = manifestOf(subject);
  const failures = faults.map((fault) => `its declarations are faulty: ${fault}`);
  const call = (hooks: HandlerHooks, bag: AttributeBag) => hooks.attributes.promise(bag);
  const bags = [["an ordinary bag", requestBag()] as const, ...unusualBags()];
  for (const { label, outcome } of await callsWith(subject, "attributes", bags, call, failures)) {
    if (outcome.kind === "answered")
      failures.push(...faultsOf(outcome.value, manifest).map((fault) => `${label}: ${fault}`));
  }
  return failures;
}

async function takesReportedBags(subject: PluginSubject): Promise<readonly string[]> {
  const failures: string[] = [];
  const call = (hooks: HandlerHooks, bag: AttributeBag) => hooks.reported.promise(bag);
  const bags = [["an ordinary bag", reportedBag()] as const, ...unusualBags()];
  await callsWith(subject, "reported", bags, call, failures);
  return failures;
}

/** Calls a hook with each bag; adds the calls that fail, are late or block to `failures`. */
async function callsWith(
  subject: PluginSubject,
  hook: "attributes" | "reported",
  bags: readonly (readonly [what: string, bag: AttributeBag])[],
  call: (hooks: HandlerHooks, bag: AttributeBag) => Promise<unknown>,
  failures: string[],
): Promise<readonly { readonly label: string; readonly outcome: CallOutcome }[]> {
  return await withHandler(subject, async (handler) => {
    const hooks = applied(handler);
    const calls: { readonly label: string; readonly outcome: CallOutcome }[] = [];
    if (!hooks[hook].isUsed()) return calls;
    const deadlineMs = deadlineOf(subject);
    for (const [what, bag] of bags) {
      const label = `the tap of "${hook}" (${what})`;
      deepFreeze(bag);
      const { outcome, blockedMs } = await timed(() => outcomeOf(() => call(hooks, bag), deadlineMs));
      calls.push({ label, outcome });
      if (blockedMs > BLOCKING_MS)
        failures.push(`${label} blocked the event loop for ${Math.round(blockedMs)} ms`);
      if (outcome.kind === "late") {
        failures.push(`${label} did not end within ${deadlineMs} ms`);
        break;
      }
      // A backend of the plugin is not available here; no other error is the plugin's to give.
      if (outcome.kind === "rejected" && !(isPurserError(outcome.error) && outcome.error.retryable))
        failures.push(`${label} failed: ${describeError(outcome.error)}`);
    }
    return calls;
  });
}

function faultsOf(added: unknown, manifest: AttributeManifest): readonly string[] {
  if (added === undefined) return [];
  if (typeof added !== "object" || added === null || Array.isArray(added))
    return ["it returned something other than an object or undefined"];
  return Object.entries(added).flatMap(([name, value]) =>
    value === undefined ? [] : (refusalOf(manifest, name, value)?.detail ?? []),
  );
}

function manifestOf({ definition, options }: PluginSubject) {
  const specs = [definition.provides ?? {}, options.attributes ?? {}].map((attributes) => ({
    // A plugin declares attributes as an AttributeManifest does; documents are checked against the same types.
    attributes: attributes as Record<string, AttributeSpec>,
  }));
  const { manifest, faults } = mergeManifests(specs);
  return { manifest, faults: faults.map(({ message }) => message) };
}
