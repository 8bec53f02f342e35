// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PluginDefinition, PluginHandler } from "../../../../core/hooks/extension.ts";
import type { TemplateName } from "../../../../core/templates/template-names.ts";
import { createHandlerHooks, type HandlerHooks } from "../../../../core/hooks/hooks.ts";
import { isPurserError } from "../../../../kernel/errors.ts";
import { headerNameFault, headerValueFault } from "../../../../core/attributes/header-fields.ts";
import { STATUS_CODES } from "../../../../kernel/status.ts";
import type { CheckAnswer, HeaderOperation } from "../../../../core/templates/instances.ts";
import { fillConfig } from "../../config.ts";
import { createTestContext } from "../context.ts";
import {
  type ContractClause,
  type ContractFinding,
  describeClauses,
  describeError,
  globalRunner,
  runClause,
  type TestRunner,
} from "./clause.ts";
import { outcomeOf } from "./outcome.ts";
import { activeResources, leftBehind } from "./resources.ts";
import { createMemoryFiles } from "../memory-files.ts";
import { sampleInstances } from "../sample-instances.ts";
import { createRealTime } from "../time.ts";
import { UNUSUAL_INSTANCES } from "../unusual-instances.ts";

export interface PluginContractOptions {
  /** A configuration, when a required field has no default. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Files that the configuration names, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Time in which each call must answer or reject, in milliseconds of real time. Default 1000. */
  readonly deadlineMs?: number;
  /** Default: the global `describe` and `it`. */
  readonly runner?: TestRunner;
}

interface Subject {
  readonly definition: PluginDefinition;
  readonly options: PluginContractOptions;
}

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

const CLAUSES: readonly ContractClause<Subject>[] = [
  { name: "builds from its defaults and taps the templates it names", check: tapsItsTemplates },
  { name: "refuses unknown keys", check: refusesUnknownKeys },
  { name: "shares nothing between two handlers of one configuration", check: sharesNothing },
  { name: "may be applied to fresh hooks while the old ones are in use", check: appliesAgain },
  { name: "may be closed twice, and unapplied", check: closesTwice },
  { name: "leaves nothing scheduled, open or watched after close", check: leavesNothing },
  { name: "answers in the documented form, unusual instances too", check: answersWellFormed },
];

async function tapsItsTemplates(subject: Subject): Promise<readonly string[]> {
  return await withHandler(subject, (handler) => {
    const hooks = applied(handler);
    return subject.definition.templates
      .filter((template) => hooks.check.get(template)?.isUsed() !== true)
      .map((template) => `it names template "${template}" and does not tap hooks.check.for("${template}")`);
  });
}

async function refusesUnknownKeys({ definition, options }: Subject): Promise<readonly string[]> {
  const { faults } = fillConfig(definition.config, { ...options.config, "no-such-key": true });
  return faults.length === 0 ? ["the configuration takes an unknown key"] : [];
}

async function sharesNothing(subject: Subject): Promise<readonly string[]> {
  return await withHandler(subject, async (second) => {
    const hooks = applied(second);
    const alone = await answersOf(subject, hooks);
    await withHandler(subject, (first) => answersOf(subject, applied(first)));
    return same(alone, await answersOf(subject, hooks))
      ? []
      : ["it answers otherwise once another was closed"];
  });
}

async function appliesAgain(subject: Subject): Promise<readonly string[]> {
  return await withHandler(subject, async (handler) => {
    const old = applied(handler);
    const before = await answersOf(subject, old);
    const fresh = applied(handler);
    if (!same(before, await answersOf(subject, fresh))) return ["the fresh hooks answer otherwise"];
    return same(before, await answersOf(subject, old)) ? [] : ["the old hooks answer otherwise"];
  });
}

async function closesTwice(subject: Subject): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const used of [false, true]) {
    const { handler, context } = build(subject);
    if (used) await answersOf(subject, applied(handler));
    for (const time of ["first", "second"]) {
      const outcome = await outcomeOf(() => handler.close(), deadlineOf(subject));
      if (outcome.kind !== "answered") failures.push(`the ${time} close did not end in time, or failed`);
    }
    context.time.cancelAll();
  }
  return failures;
}

async function leavesNothing(subject: Subject): Promise<readonly string[]> {
  const before = activeResources();
  const { handler, context } = build(subject);
  await answersOf(subject, applied(handler));
  const closed = await outcomeOf(() => handler.close(), deadlineOf(subject));
  const failures = closed.kind === "answered" ? [] : ["close did not end in time, or failed"];
  if (context.time.scheduled > 0) failures.push(`left ${context.time.scheduled} tasks scheduled after close`);
  context.time.cancelAll();
  if (context.files.watching > 0) failures.push(`left ${context.files.watching} files watched after close`);
  return [...failures, ...(await leftBehind(before))];
}

async function answersWellFormed(subject: Subject): Promise<readonly string[]> {
  return await withHandler(subject, async (handler) => {
    const failures: string[] = [];
    const hooks = applied(handler);
    for (const template of subject.definition.templates) {
      const instances = [
        ["an ordinary instance", sampleInstances()[template]] as const,
        ...UNUSUAL_INSTANCES[template](),
      ];
      for (const [what, instance] of instances) {
        const outcome = await outcomeOf(() => ask(hooks, template, instance), deadlineOf(subject));
        const label = `${template} (${what})`;
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

/** The plugin's answers to an ordinary instance of each of its templates, as text to compare. */
async function answersOf(subject: Subject, hooks: HandlerHooks): Promise<readonly string[]> {
  return await Promise.all(
    subject.definition.templates.map(async (template) => {
      const outcome = await outcomeOf(
        () => ask(hooks, template, sampleInstances()[template]),
        deadlineOf(subject),
      );
      return outcome.kind === "answered" ? JSON.stringify(outcome.value) : outcome.kind;
    }),
  );
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function applied(handler: PluginHandler): HandlerHooks {
  const hooks = createHandlerHooks();
  handler.apply(hooks);
  return hooks;
}

function deadlineOf({ options }: Subject): number {
  return options.deadlineMs ?? 1000;
}

function build({ definition, options }: Subject) {
  const context = createTestContext(definition, options.config, {
    time: createRealTime(),
    files: createMemoryFiles(options.files),
  });
  return { context, handler: definition.build(context) };
}

async function withHandler<T>(subject: Subject, use: (handler: PluginHandler) => T | Promise<T>): Promise<T> {
  const { handler, context } = build(subject);
  try {
    return await use(handler);
  } finally {
    await outcomeOf(() => handler.close(), deadlineOf(subject));
    context.time.cancelAll();
  }
}
