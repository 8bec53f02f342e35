// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../attributes/bag.ts";
import { type RepeatedField, repeatedFields } from "../attributes/repeated.ts";
import type { Meter } from "../../expressions/runtime/reads/meter.ts";
import { Reads } from "../../expressions/runtime/reads/reads.ts";
import type { AttributeReference } from "../../expressions/runtime/reads/reference.ts";
import { chain, chainWith, isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";
import { decideAllow, decideAudit, decideDeny } from "./access.ts";
import { type Reading, readWithAdditions } from "./additions.ts";
import { decideEachValue, type DecideOnce } from "./decide-each-value.ts";
import type { Decision } from "./decision.ts";
import type { Scope } from "./evaluation.ts";
import type { CheckPlan } from "./plan.ts";
import type { CheckContext } from "./ports.ts";
import { isOfGatewayAlone } from "./gateway-alone.ts";
import { decideCharges } from "./decide-charges.ts";
import { decideRules } from "./rules.ts";
import { DecisionBuilder } from "./decision-builder.ts";

/** The order of decision: Istio's, with Mixer's rules between DENY and ALLOW. */
const STEPS = [decideDeny, decideRules, decideAllow, decideAudit, decideCharges] as const;

/**
 * Decides one request. The same documents, bag, time and answers of handlers give the same decision, in any
 * order of the answers. Synchronous unless an expression or a handler is asynchronous. Never throws or
 * rejects because of an expression, a handler or a plugin: the documents' onError decides.
 */
export function decide(plan: CheckPlan, bag: AttributeBag, context: CheckContext): MaybePromise<Decision> {
  const repeated = repeatedFields(bag);
  return repeated.length === 0
    ? chainWith(decideOnce(plan, bag, context), decisionIn, undefined, undefined)
    : decideRepeated(plan, bag, repeated, context);
}

function decideRepeated(
  plan: CheckPlan,
  bag: AttributeBag,
  repeated: readonly RepeatedField[],
  context: CheckContext,
): MaybePromise<Decision> {
  const once: DecideOnce = (reading, observer, spent) =>
    decideOnce(plan, reading, { ...context, observer }, spent);
  return decideEachValue(bag, repeated, once, context.observer);
}

interface Decided {
  readonly decision: Decision;
  readonly spent: Meter;
}

function decisionIn({ decision }: Decided): Decision {
  return decision;
}

function decideOnce(
  plan: CheckPlan,
  bag: AttributeBag,
  context: CheckContext,
  spent?: Meter,
): MaybePromise<Decided> {
  if (context.dispatch.attributeSources.length > 0) return decideWithAdditions(plan, bag, context, spent);
  const reads = new Reads(bag, spent);
  return decideRead(plan, context, new DirectReading(reads), true);
}

/** The reading of a bag to which no plugin adds attributes. */
class DirectReading implements Reading {
  readonly reads: Reads;

  constructor(reads: Reads) {
    this.reads = reads;
  }

  references(): readonly AttributeReference[] {
    return this.reads.references();
  }
}

function decideWithAdditions(
  plan: CheckPlan,
  bag: AttributeBag,
  context: CheckContext,
  spent: Meter | undefined,
): MaybePromise<Decided> {
  let sourceFailed = false;
  const reading = readWithAdditions(
    bag,
    context.dispatch.attributeSources,
    {
      fault({ ref }, fault) {
        // A plugin that failed this time may add attributes next time, so the decision must not be cached.
        sourceFailed = true;
        context.observer?.fault(ref, fault);
      },
      refused: ({ ref }, refused) => context.observer?.attributeRefused?.(ref, refused),
    },
    spent,
  );
  return chain(reading, (read) => decideRead(plan, context, read, !sourceFailed));
}

function decideRead(
  plan: CheckPlan,
  context: CheckContext,
  reading: Reading,
  cacheable: boolean,
): MaybePromise<Decided> {
  const { reads } = reading;
  const inForce = plan.gateways !== undefined && isOfGatewayAlone(reads) ? plan.gateways : plan;
  const scope: Scope = { bag: reads.bag, context: { nowMs: context.nowMs, reads }, cacheable };
  const builder = new DecisionBuilder(scope, context);
  return chainWith(takeSteps(inForce, builder, 0), build, builder, reading);
}

function takeSteps(plan: CheckPlan, builder: DecisionBuilder, from: number): MaybePromise<void> {
  for (let index = from; index < STEPS.length; index++) {
    const taken = (STEPS[index] as (typeof STEPS)[number])(plan, builder);
    if (isPromise(taken)) return takeStepsAfter(taken, plan, builder, index + 1);
  }
}

async function takeStepsAfter(
  taken: Promise<void>,
  plan: CheckPlan,
  builder: DecisionBuilder,
  from: number,
): Promise<void> {
  await taken;
  await takeSteps(plan, builder, from);
}

function build(_: void, builder: DecisionBuilder, reading: Reading): Decided {
  return { decision: builder.build(reading.references()), spent: reading.reads };
}
