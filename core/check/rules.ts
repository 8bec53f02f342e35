// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { attempt, chain, type MaybePromise, reduceInOrder } from "../../kernel/maybe-promise.ts";
import { STATUS_CODES } from "../../kernel/status.ts";
import type { Rule, RuleInstance } from "../snapshot/snapshot.ts";
import type { CheckAnswer } from "../templates/instances.ts";
import { askAll } from "./choose.ts";
import { evaluateCondition, Fault, faultOfHandler } from "./evaluation.ts";
import { faultOfChanges, faultOfReply } from "./headers.ts";
import { type CheckInstance, fillCheckInstance } from "./instances.ts";
import type { CheckPlan, Placed } from "./plan.ts";
import type { CheckContext } from "./ports.ts";
import type { DecisionBuilder } from "./decision-builder.ts";
import { DEFAULT_VALID_DURATION_MS, DEFAULT_VALID_USE_COUNT } from "../snapshot/validity.ts";

/** One instance for one handler, or the fault in place of it. */
interface Question {
  readonly rule: Placed<Rule>;
  readonly handler: string;
  readonly template: RuleInstance["template"];
  readonly instance: CheckInstance | Fault;
}

/**
 * Check Rules. Instances are filled in document order, then all handlers are called concurrently, so that the
 * slowest determines the time; the answers are combined in document order, not in order of arrival.
 */
export function decideRules(plan: CheckPlan, builder: DecisionBuilder): MaybePromise<void> {
  if (builder.refusal !== undefined || plan.rules.length === 0) return;
  return chain(ask(plan, builder), (questions) => {
    const answers = questions.map((question) => ({ question, answer: dispatch(question, builder.context) }));
    return reduceInOrder(answers, undefined as void, (_, { question, answer }) =>
      builder.refusal === undefined
        ? chain(answer, (given) => combine(question.rule, given, builder))
        : undefined,
    );
  });
}

function ask(plan: CheckPlan, builder: DecisionBuilder): MaybePromise<readonly Question[]> {
  const questions: Question[] = [];
  const asked = askAll(plan, "rules", builder, (rule) =>
    chain(evaluateCondition(rule.document.match, builder.scope), (matched) => {
      if (matched === true) return chain(askRule(rule, questions, builder), () => undefined);
      if (matched === false) return builder.outcome(rule.ref, "unmatched");
      questions.push({ rule, handler: "", template: "checknothing", instance: matched });
      return undefined;
    }),
  );
  return chain(asked, () => questions);
}

function askRule(
  rule: Placed<Rule>,
  questions: Question[],
  builder: DecisionBuilder,
): MaybePromise<Question[]> {
  const pairs = rule.document.actions.flatMap(({ handler, instances }) =>
    instances.map((instance) => ({ handler, instance })),
  );
  return reduceInOrder(pairs, questions, (_, { handler, instance }) =>
    chain(fillCheckInstance(instance, builder.scope), (filled) => {
      questions.push({ rule, handler, template: instance.template, instance: filled });
      return questions;
    }),
  );
}

/** Never rejects: promises of answers that are not used are not awaited. */
function dispatch(
  { handler, template, instance }: Question,
  { dispatch: port }: CheckContext,
): MaybePromise<CheckAnswer | undefined | Fault> {
  if (instance instanceof Fault) return instance;
  return attempt<CheckAnswer | undefined | Fault>(
    () => chain(port.ask(handler, template, instance), (answer) => faultOfAnswer(handler, answer) ?? answer),
    faultOfHandler,
  );
}

function combine(
  rule: Placed<Rule>,
  answer: CheckAnswer | undefined | Fault,
  builder: DecisionBuilder,
): void {
  const { ref, order, document } = rule;
  if (answer instanceof Fault) return builder.fail(rule, answer);
  if (answer === undefined) return builder.outcome(ref, "passed");
  const { status, headers, directResponse } = answer;
  builder.bound(
    answer.validDurationMs ?? DEFAULT_VALID_DURATION_MS,
    answer.validUseCount ?? DEFAULT_VALID_USE_COUNT,
  );
  builder.outcome(ref, status.code === "OK" ? "passed" : "refused");
  if (document.mode === "shadow") {
    if (status.code !== "OK") builder.refuseInShadow(ref);
    return;
  }
  if (status.code === "OK") {
    if (headers !== undefined) builder.change(order, headers);
    // As in Mixer, a handler may answer an allowed request itself: with a redirect, or a cached page.
    builder.directResponse ??= directResponse;
    return;
  }
  builder.refuse(
    {
      status: {
        code: status.code,
        message: status.message === "" ? `denied by ${ref.name}` : status.message,
      },
      reason: { kind: "policy" },
      decidedBy: ref,
      ...(directResponse === undefined ? {} : { directResponse }),
    },
    order,
    headers?.response === undefined ? undefined : { response: headers.response },
  );
}

/** Adapters are foreign code: their answers are checked before they decide anything. */
function faultOfAnswer(handler: string, answer: CheckAnswer | undefined): Fault | undefined {
  if (answer === undefined) return undefined;
  const problem = problemOf(answer);
  return problem === undefined
    ? undefined
    : new Fault("PURSER_HANDLER_FAILED", `handler ${handler} answered badly: ${problem}`, false);
}

function problemOf(answer: CheckAnswer): string | undefined {
  if (typeof answer !== "object" || answer === null || typeof answer.status !== "object") return "no status";
  if (!STATUS_CODES.includes(answer.status.code)) return `no such status as ${String(answer.status.code)}`;
  for (const bound of [answer.validDurationMs, answer.validUseCount]) {
    if (bound !== undefined && !(bound >= 0)) return "a validity that is not a number of at least 0";
  }
  return (
    (answer.headers === undefined ? undefined : faultOfChanges(answer.headers)) ??
    (answer.directResponse === undefined ? undefined : faultOfReply(answer.directResponse))
  );
}
