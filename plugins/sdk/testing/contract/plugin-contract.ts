// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PluginDefinition } from "../../../../core/hooks/extension.ts";
import type { TemplateName } from "../../../../core/templates/template-names.ts";
import type { HandlerHooks } from "../../../../core/hooks/hooks.ts";
import { isPurserError } from "../../../../kernel/errors.ts";
import { headerNameFault, headerValueFault } from "../../../../core/attributes/header-fields.ts";
import { STATUS_CODES } from "../../../../kernel/status.ts";
import type { CheckAnswer, HeaderOperation } from "../../../../core/templates/instances.ts";
import { fillConfig } from "../../config.ts";
import { BLOCKING_MS, timed } from "./blocking.ts";
import {
  type ContractClause,
  type ContractFinding,
  describeClauses,
  describeError,
  globalRunner,
  runClause,
} from "./clause.ts";
import { outcomeOf } from "./outcome.ts";
import {
  applied,
  build,
  closing,
  deadlineOf,
  type PluginContractOptions,
  type PluginSubject,
  withHandler,
} from "./plugin-subject.ts";
import { PLUGIN_TAP_CLAUSES } from "./plugin-tap-clauses.ts";
import { activeResources, leftBehind } from "./resources.ts";
import { sampleInstances } from "../sample-instances.ts";
import { reportedBag, requestBag } from "../sample-bags.ts";
import { UNUSUAL_INSTANCES } from "../unusual-instances.ts";

/** Registers the contract suite as tests. */
export function describePluginContract<Config>(
  definition: PluginDefinition<Config>,
  options: PluginContractOptions = {},
): void {
  const title = `the contract of the plugin "${definition.name}": it`;
  const subject = { definition: definition as PluginDefinition, options };
  describeClauses(title, CLAUSES, subject, options.runner ?? globalRunner());
}

/** Runs the whole suite and returns the findings of each clause. */
export async function checkPluginContract<Config>(
  definition: PluginDefinition<Config>,
  options: PluginContractOptions = {},
): Promise<readonly ContractFinding[]> {
  const findings: ContractFinding[] = [];
  for (const clause of CLAUSES) {
    findings.push(await runClause(clause, { definition: definition as PluginDefinition, options }));
  }
  return findings;
}

const CLAUSES: readonly ContractClause<PluginSubject>[] = [
  { name: "builds from its defaults and taps the templates it names", check: tapsItsTemplates },
  { name: "refuses unknown keys", check: refusesUnknownKeys },
  { name: "shares nothing between two handlers of one configuration", check: sharesNothing },
  { name: "may be applied to fresh hooks while the old ones are in use", check: appliesAgain },
  { name: "may be closed twice, and unapplied", check: closesTwice },
  { name: "leaves nothing scheduled, open or watched after close", check: leavesNothing },
  { name: "answers in the documented form, unusual instances too", check: answersWellFormed },
  ...PLUGIN_TAP_CLAUSES,
];

async function tapsItsTemplates(subject: PluginSubject): Promise<readonly string[]> {
  return await withHandler(subject, (handler) => {
    const hooks = applied(handler);
    return subject.definition.templates
      .filter((template) => hooks.check.get(template)?.isUsed() !== true)
      .map((template) => `it names template "${template}" and does not tap hooks.check.for("${template}")`);
  });
}

async function refusesUnknownKeys({ definition, options }: PluginSubject): Promise<readonly string[]> {
  const { faults } = fillConfig(definition.config, { ...options.config, "no-such-key": true });
  return faults.length === 0 ? ["the configuration takes an unknown key"] : [];
}

async function sharesNothing(subject: PluginSubject): Promise<readonly string[]> {
  return await withHandler(subject, async (second) => {
    const hooks = applied(second);
    const alone = await answersOf(subject, hooks);
    await withHandler(subject, (first) => answersOf(subject, applied(first)));
    return same(alone, await answersOf(subject, hooks))
      ? []
      : ["it answers otherwise once another was closed"];
  });
}

async function appliesAgain(subject: PluginSubject): Promise<readonly string[]> {
  return await withHandler(subject, async (handler) => {
    const old = applied(handler);
    const before = await answersOf(subject, old);
    const fresh = applied(handler);
    if (!same(before, await answersOf(subject, fresh))) return ["the fresh hooks answer otherwise"];
    return same(before, await answersOf(subject, old)) ? [] : ["the old hooks answer otherwise"];
  });
}

async function closesTwice(subject: PluginSubject): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const used of [false, true]) {
    const { handler, end } = build(subject);
    if (used) await answersOf(subject, applied(handler));
    for (const time of ["first", "second"]) {
      const outcome = await closing(handler, subject);
      if (outcome.kind === "late") failures.push(`the ${time} close did not end in time`);
      if (outcome.kind === "rejected")
        failures.push(`the ${time} close failed: ${describeError(outcome.error)}`);
    }
    await end();
  }
  return failures;
}

async function leavesNothing(subject: PluginSubject): Promise<readonly string[]> {
  const before = activeResources();
  const { handler, context, end } = build(subject);
  await answersOf(subject, applied(handler));
  const closed = await closing(handler, subject);
  const failures = closed.kind === "answered" ? [] : ["close did not end in time, or failed"];
  if (context.time.scheduled > 0) failures.push(`left ${context.time.scheduled} tasks scheduled after close`);
  await end();
  if (context.files.watching > 0) failures.push(`left ${context.files.watching} files watched after close`);
  return [...failures, ...(await leftBehind(before))];
}

async function answersWellFormed(subject: PluginSubject): Promise<readonly string[]> {
  return await withHandler(subject, async (handler) => {
    const failures: string[] = [];
    const hooks = applied(handler);
    for (const template of subject.definition.templates) {
      const instances = [
        ["an ordinary instance", sampleInstances()[template]] as const,
        ...UNUSUAL_INSTANCES[template](),
      ];
      for (const [what, instance] of instances) {
        const { outcome, blockedMs } = await timed(() =>
          outcomeOf(() => ask(hooks, template, instance), deadlineOf(subject)),
        );
        const label = `${template} (${what})`;
        if (blockedMs > BLOCKING_MS)
          failures.push(`${label} blocked the event loop for ${Math.round(blockedMs)} ms`);
        if (outcome.kind === "late") failures.push(`${label} did not end in time`);
        else if (outcome.kind === "rejected") {
          if (isPurserError(outcome.error)) continue;
          failures.push(
            `${label} failed with something other than a PurserError: ${describeError(outcome.error)}`,
          );
        } else if (outcome.value === undefined) failures.push(`${label} was not answered`);
        else failures.push(...faultsOf(outcome.value as CheckAnswer).map((fault) => `${label}: ${fault}`));
      }
    }
    return failures;
  });
}

function faultsOf(answer: CheckAnswer): readonly string[] {
  const faults: string[] = [];
  if (!STATUS_CODES.includes(answer.status?.code)) faults.push("the answer has no known status code");
  for (const amount of [answer.validDurationMs, answer.validUseCount]) {
    if (amount !== undefined && !(amount >= 0)) faults.push("a validity is negative or not a number");
  }
  const operations: readonly HeaderOperation[] = [
    ...(answer.headers?.request ?? []),
    ...(answer.headers?.response ?? []),
  ];
  for (const { name, value = "" } of operations) {
    if (name !== name.toLowerCase()) faults.push(`${JSON.stringify(name)} is not a lower-case header name`);
    const fault = headerNameFault(name) ?? headerValueFault(name, value);
    if (fault !== undefined) faults.push(fault);
  }
  return faults;
}

function ask(
  hooks: HandlerHooks,
  template: TemplateName,
  instance: unknown,
): Promise<CheckAnswer | undefined> {
  return hooks.check.for(template).promise(instance) as Promise<CheckAnswer | undefined>;
}

/** The plugin's answers to an ordinary request and to an instance of each of its templates, as text to compare. */
async function answersOf(subject: PluginSubject, hooks: HandlerHooks): Promise<readonly string[]> {
  const deadlineMs = deadlineOf(subject);
  const answers = subject.definition.templates.map(async (template) => {
    const outcome = await outcomeOf(() => ask(hooks, template, sampleInstances()[template]), deadlineMs);
    return outcome.kind === "answered" ? JSON.stringify(outcome.value) : outcome.kind;
  });
  // The values of added attributes may differ each time, such as an id.
  const added = outcomeOf(() => hooks.attributes.promise(requestBag()), deadlineMs).then((outcome) =>
    outcome.kind === "answered"
      ? Object.keys(outcome.value ?? {})
          .toSorted()
          .join()
      : outcome.kind,
  );
  const reported = outcomeOf(() => hooks.reported.promise(reportedBag()), deadlineMs).then(
    ({ kind }) => kind,
  );
  return await Promise.all([...answers, added, reported]);
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
