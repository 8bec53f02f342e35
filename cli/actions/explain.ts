// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type { AttributeBag, AttributePath } from "../../core/attributes/bag.ts";
import { canonicalBag, type PartialBag } from "../../core/attributes/canonical-bag.ts";
import { Malformed } from "../../kernel/canonical/malformed.ts";
import { type CheckPlan, planChecks } from "../../core/check/plan.ts";
import { explainDecision } from "../../core/explain/explain-decision.ts";
import { DEFAULT_REDACTED_PATHS } from "../../core/explain/redaction.ts";
import { createTracer } from "../../core/expressions/jsonata-engine.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import type { TrafficDocuments } from "../../core/snapshot/snapshot.ts";
import { suggest } from "../../kernel/suggest.ts";
import { explanationText } from "../../tools/explain/explanation-text.ts";
import { bagOfRequest, parseWrittenRequest, type WrittenRequest } from "../../tools/explain/request-bag.ts";
import { styleOf } from "../../tools/terminal.ts";
import { readConfig } from "../compose/part-config.ts";
import { buildPlugins } from "../../tools/plugins-of-set.ts";
import { createRuntime } from "../compose/runtime.ts";

interface Flags {
  readonly config: readonly string[];
  readonly skipForeign?: boolean;
  readonly bag?: string;
  readonly request?: string;
  readonly header?: readonly string[];
  readonly at?: number;
  readonly json?: true;
  readonly policy?: string;
  readonly all?: true;
  readonly redact?: readonly string[];
}

/** Explains the decision about one request. */
export async function explain(flags: Flags): Promise<void> {
  const runtime = createRuntime({ logLevel: "warn", logFormat: "auto" });
  const nowMs = flags.at ?? runtime.clock.nowMs();
  // Before the documents are read, so that a wrong flag is reported at once.
  const given = await readRequest(flags);
  const snapshot = await readConfig(flags.config, runtime, flags);
  const whole = planChecks(snapshot);
  const plan = flags.policy === undefined ? whole : only(flags.policy, whole);
  const bag = await bagOf(given, snapshot.traffic, nowMs);
  const added: readonly AttributePath[] = (flags.redact ?? []).map((path) => path.split("."));
  const plugins = await buildPlugins(snapshot, runtime);
  const { explanation } = await explainDecision(
    plan,
    bag,
    { nowMs, dispatch: plugins.dispatch },
    {
      tracer: createTracer(),
      redact: [...DEFAULT_REDACTED_PATHS, ...added],
      whyUnanswered: plugins.whyUnanswered,
    },
  );
  await plugins.close();
  if (flags.json === true) process.stdout.write(`${JSON.stringify(explanation, undefined, 2)}\n`);
  else {
    const style = styleOf(process.stdout, process.env);
    const all = flags.all === true || flags.policy !== undefined;
    process.stdout.write(explanationText(explanation, { all, style }));
  }
}

/** Input from the flags: a bag as it was written, or a request. */
type Given = { readonly bag: PartialBag } | { readonly request: WrittenRequest };

async function readRequest({ bag, request, header = [] }: Flags): Promise<Given> {
  if ((bag === undefined) === (request === undefined))
    throw new PurserError("PURSER_CLI_USAGE", "give either --bag or --request, not both");
  if (request !== undefined) return { request: parseWrittenRequest(request, header) };
  if (header.length > 0) throw new PurserError("PURSER_CLI_USAGE", "-H needs --request");
  const name = bag === "-" ? "standard input" : (bag as string);
  let value: unknown;
  try {
    value = JSON.parse(bag === "-" ? await text(process.stdin) : await readFile(name, "utf8"));
  } catch (error) {
    throw new PurserError("PURSER_CLI_USAGE", `the bag in ${name} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new PurserError("PURSER_CLI_USAGE", `the bag in ${name} is not a JSON object of attributes`);
  return { bag: value as PartialBag };
}

function bagOf(given: Given, traffic: TrafficDocuments, nowMs: number): MaybePromise<AttributeBag> {
  if ("request" in given) return bagOfRequest(given.request, traffic, nowMs);
  const bag = canonicalBag(given.bag, traffic.pathNormalization);
  if (bag instanceof Malformed) throw new PurserError("PURSER_CLI_USAGE", `in the bag, ${bag.reason}`);
  return bag;
}

/** The plan with only the document called `name`. */
function only(name: string, plan: CheckPlan): CheckPlan {
  const keep = <T extends { readonly ref: { readonly name: string } }>(documents: readonly T[]) =>
    documents.filter(({ ref }) => ref.name === name);
  const { deny, rules, allow, audit, quotas } = plan;
  const all = [...deny, ...rules, ...allow, ...audit, ...quotas].map(({ ref }) => ref.name);
  if (!all.includes(name)) {
    const near = suggest(name, all);
    const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
    throw new PurserError("PURSER_CLI_USAGE", `there is no policy, quota or rule called ${name}${hint}`);
  }
  return {
    deny: keep(deny),
    rules: keep(rules),
    allow: keep(allow),
    audit: keep(audit),
    quotas: keep(quotas),
  };
}
