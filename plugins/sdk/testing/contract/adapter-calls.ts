// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AdapterDefinition, AdapterHandler } from "../../../../core/hooks/extension.ts";
import type { TemplateName } from "../../../../core/templates/template-names.ts";
import { TEMPLATE_VARIETY } from "../../../../core/templates/template-names.ts";
import type { MaybePromise } from "../../../../kernel/maybe-promise.ts";
import { createTestContext, type TestContext } from "../context.ts";
import { type BackendScript, refusingAddress, type TcpAddress } from "../fake-backend.ts";
import { sampleInstances } from "../sample-instances.ts";
import { createRealTime, type RealTime } from "../time.ts";
import type { TestRunner } from "./clause.ts";
import { abortAfter, type CallOutcome, outcomeOf } from "./outcome.ts";

export interface AdapterContractOptions {
  /** A configuration, when a required field has no default; ignored with `backend`, which has its own. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** For an adapter that talks to a server. */
  readonly backend?: {
    /**
     * The configuration that points the adapter at this address, with short timeouts where the adapter has
     * its own.
     */
    config(address: TcpAddress): Readonly<Record<string, unknown>>;
    /** A server that refuses permanently: a rejection must have `retryable: false`. */
    readonly permanent?: BackendScript;
    /** A busy server: a rejection must have `retryable: true`. */
    readonly retryable?: BackendScript;
    /**
     * Templates whose reports the adapter keeps and sends in a call of its own: their calls may succeed whatever the server does.
     */
    readonly kept?: readonly TemplateName[];
  };
  /**
   * Time in which each call must answer or reject, in milliseconds of real time; its signal aborts at half of
   * it. Default 1000.
   */
  readonly deadlineMs?: number;
  /** Default: the global `describe` and `it`. */
  readonly runner?: TestRunner;
}

/** The adapter that the clauses check. */
export interface AdapterSubject {
  readonly definition: AdapterDefinition;
  readonly options: AdapterContractOptions;
}

export interface Call {
  readonly template: TemplateName;
  readonly label: string;
  run(): MaybePromise<unknown>;
}

export interface SettledCall extends Call {
  readonly outcome: CallOutcome;
}

/** One call for each template in `instances` that the adapter implements. */
export function callsOf(
  handler: AdapterHandler,
  { definition }: AdapterSubject,
  instances: Readonly<Partial<Record<TemplateName, unknown>>>,
  signal: AbortSignal | undefined,
): readonly Call[] {
  return definition.templates.flatMap((template) => {
    if (!Object.hasOwn(instances, template)) return [];
    const run = handler[template] as
      | ((argument: unknown, call: unknown) => MaybePromise<unknown>)
      | undefined;
    const call =
      TEMPLATE_VARIETY[template] === "quota"
        ? { deduplicationId: "contract" }
        : { signal: signal ?? new AbortController().signal };
    return [{ template, label: template, run: () => run?.call(handler, instances[template], call) }];
  });
}

/** Calls every template once with an ordinary instance, all at the same time. */
export async function callAll(
  handler: AdapterHandler,
  subject: AdapterSubject,
): Promise<readonly SettledCall[]> {
  const { signal, clear } = abortAfter(deadlineOf(subject) / 2);
  try {
    return await settleCalls(callsOf(handler, subject, sampleInstances(), signal), subject);
  } finally {
    clear();
  }
}

export function settleCalls(
  calls: readonly Call[],
  subject: AdapterSubject,
): Promise<readonly SettledCall[]> {
  return Promise.all(
    calls.map(async (call) => ({ ...call, outcome: await outcomeOf(() => call.run(), deadlineOf(subject)) })),
  );
}

export function deadlineOf({ options }: AdapterSubject): number {
  return options.deadlineMs ?? 1000;
}

export interface BuildOptions {
  readonly config?: Readonly<Record<string, unknown>>;
}

export async function baseConfig(
  options: AdapterContractOptions,
): Promise<Readonly<Record<string, unknown>>> {
  if (options.backend !== undefined) return options.backend.config(await refusingAddress());
  return options.config ?? {};
}

export async function contextFor(
  subject: AdapterSubject,
  build: BuildOptions,
): Promise<TestContext<unknown, RealTime>> {
  const config = build.config ?? (await baseConfig(subject.options));
  return createTestContext(subject.definition, config, { time: createRealTime() });
}

export async function withHandler<T>(
  subject: AdapterSubject,
  build: BuildOptions,
  use: (handler: AdapterHandler) => MaybePromise<T>,
): Promise<T> {
  const context = await contextFor(subject, build);
  try {
    const handler = subject.definition.build(context);
    try {
      return await use(handler);
    } finally {
      await outcomeOf(() => handler.close(), deadlineOf(subject));
    }
  } finally {
    await context.http.close();
    context.time.cancelAll();
  }
}
