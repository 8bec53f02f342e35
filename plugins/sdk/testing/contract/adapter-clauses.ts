// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AdapterHandler } from "../../../../core/hooks/extension.ts";
import { isPurserError } from "../../../../kernel/errors.ts";
import type { QuotaGrant } from "../../../../core/quota/quota.ts";
import { fillConfig } from "../../config.ts";
import { expositionText } from "../exposition-text.ts";
import { createTestContext } from "../context.ts";
import { MISBEHAVIOURS, startFakeBackend } from "../fake-backend.ts";
import { quotaRequest, sampleInstances } from "../sample-instances.ts";
import { UNUSUAL_INSTANCES } from "../unusual-instances.ts";
import {
  type AdapterSubject,
  baseConfig,
  callAll,
  callsOf,
  contextFor,
  deadlineOf,
  settleCalls,
  withHandler,
} from "./adapter-calls.ts";
import { type ContractClause, describeError } from "./clause.ts";
import { abortAfter, outcomeOf } from "./outcome.ts";
import { Confinement } from "./confinement.ts";
import { checkQuotaView } from "./quota-view-clause.ts";
import { activeResources, eventually, leftBehind } from "./resources.ts";

/** Clauses for every adapter. */
export const ADAPTER_CLAUSES: readonly ContractClause<AdapterSubject>[] = [
  { name: "builds from its defaults, with a function for each template", check: buildsFromDefaults },
  { name: "refuses unknown keys", check: refusesUnknownKeys },
  { name: "shares nothing between two handlers of one configuration", check: sharesNothing },
  { name: "may be closed twice, and unused", check: closesTwice },
  { name: "leaves nothing scheduled, open or watched after close", check: leavesNothing },
  { name: "begins nothing by itself if it says that it is confined", check: staysConfined },
  { name: "settles at once when the signal is already aborted", check: heedsAbortedSignal },
  { name: "takes unusual instances without throwing out of band", check: takesUnusualInstances },
  { name: "lists and resets quotas, if it has a view of them", check: viewsQuotas },
];

/** Short enough for "at once", long enough for a busy machine. */
const AT_ONCE_MS = 300;

async function buildsFromDefaults(subject: AdapterSubject): Promise<readonly string[]> {
  return await withHandler(subject, {}, (handler) =>
    subject.definition.templates
      .filter((template) => typeof handler[template] !== "function")
      .map((template) => `the handler has no function for template "${template}"`),
  );
}

async function refusesUnknownKeys({ definition, options }: AdapterSubject): Promise<readonly string[]> {
  const config = { ...(await baseConfig(options)), "no-such-key": true };
  const { faults } = fillConfig(definition.config, config);
  return faults.some((fault) => fault.kind === "unknown") ? [] : ["the configuration takes an unknown key"];
}

async function sharesNothing(subject: AdapterSubject): Promise<readonly string[]> {
  const { definition, options } = subject;
  const failures: string[] = [];
  const config = await baseConfig(options);
  await withHandler(subject, { config }, async (second) => {
    await withHandler(subject, { config }, async (first) => {
      const before = await expositionText(second);
      await callAll(first, subject);
      if ((await expositionText(second)) !== before)
        failures.push("one handler's reports show in the other's exposition");
      if (options.backend === undefined && definition.templates.includes("quota")) {
        const [mine, other] = [await useUp(first), await useUp(second)];
        if (mine !== other) failures.push("one handler's quota is used up by the other");
      }
    });
    const [before, after] = [
      await withHandler(subject, { config }, (fresh) => callAll(fresh, subject)),
      await callAll(second, subject),
    ];
    for (const [index, call] of before.entries()) {
      if (call.outcome.kind === after[index]?.outcome.kind) continue;
      failures.push(`${call.label} no longer works once another handler was closed`);
    }
  });
  return failures;
}

/** The amount of one quota that this handler still grants. */
async function useUp(handler: AdapterHandler): Promise<number> {
  const limit = 3;
  let granted = 0;
  for (let attempt = 0; attempt <= limit; attempt++) {
    const request = quotaRequest({ cell: "contract|shared-nothing", limit });
    const grants = (await handler.quota?.([request], {
      deduplicationId: `contract-${attempt}`,
    })) as QuotaGrant[];
    granted += grants[0]?.granted ?? 0;
  }
  return granted;
}

async function closesTwice(subject: AdapterSubject): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const used of [false, true]) {
    const context = await contextFor(subject, {});
    const handler = subject.definition.build(context);
    if (used) await callAll(handler, subject);
    for (const time of ["first", "second"]) {
      const outcome = await outcomeOf(() => handler.close(), deadlineOf(subject));
      if (outcome.kind === "answered") continue;
      const how = outcome.kind === "late" ? "did not end in time" : `failed: ${describeError(outcome.error)}`;
      failures.push(`the ${time} close of a handler that was ${used ? "used" : "not used"} ${how}`);
    }
    await context.http.close();
    context.time.cancelAll();
  }
  return failures;
}

async function leavesNothing(subject: AdapterSubject): Promise<readonly string[]> {
  const { options } = subject;
  const backend = options.backend === undefined ? undefined : await startFakeBackend(MISBEHAVIOURS.hangs);
  const failures: string[] = [];
  try {
    const before = activeResources();
    const config = backend === undefined ? undefined : options.backend?.config(backend.address);
    const context = await contextFor(subject, config === undefined ? {} : { config });
    const handler = subject.definition.build(context);
    // With a backend that never answers, these calls are in flight when the handler is closed.
    const calls = callAll(handler, subject);
    if (backend === undefined) await calls;
    else await eventually(() => backend.connections > 0);
    const closed = await outcomeOf(() => handler.close(), deadlineOf(subject));
    if (closed.kind !== "answered") failures.push("close did not end in time, or failed");
    await context.http.close();
    if (context.time.scheduled > 0)
      failures.push(`left ${context.time.scheduled} tasks scheduled after close`);
    context.time.cancelAll();
    if (context.files.watching > 0) failures.push(`left ${context.files.watching} files watched after close`);
    for (const call of await calls) {
      if (call.outcome.kind === "late")
        failures.push(`${call.label} was in flight and did not end with close`);
    }
    if (backend !== undefined && !(await eventually(() => backend.connections === 0))) {
      failures.push(`left ${backend.connections} connections open after close`);
    } else {
      // The fake backend's own sockets count too, so they must be closed first.
      failures.push(...(await leftBehind(before)));
    }
  } finally {
    await backend?.close();
  }
  return failures;
}

async function staysConfined(subject: AdapterSubject): Promise<readonly string[]> {
  const { definition, options } = subject;
  if (definition.confined !== true) return [];
  // Virtual time makes no timers: those that are seen are the adapter's own.
  const context = createTestContext(definition, options.config ?? {});
  const confinement = new Confinement();
  const handler = confinement.run(() => definition.build(context));
  const { signal, clear } = abortAfter(deadlineOf(subject) / 2);
  const calls = callsOf(handler, subject, sampleInstances(), signal);
  await settleCalls(
    calls.map((call) => ({ ...call, run: () => confinement.run(() => call.run()) })),
    subject,
  );
  clear();
  await outcomeOf(() => confinement.run(() => handler.close()), deadlineOf(subject));
  return confinement.end().map((type) => `it says that it is confined, and made a ${type} of its own`);
}

async function heedsAbortedSignal(subject: AdapterSubject): Promise<readonly string[]> {
  const backend =
    subject.options.backend === undefined ? undefined : await startFakeBackend(MISBEHAVIOURS.hangs);
  try {
    const config = backend === undefined ? undefined : subject.options.backend?.config(backend.address);
    return await withHandler(subject, config === undefined ? {} : { config }, async (handler) => {
      const signal = AbortSignal.abort(new Error("the call's deadline passed"));
      const calls = callsOf(handler, subject, sampleInstances(), signal)
        // A quota store has its own deadline and gets no signal.
        .filter((call) => call.template !== "quota");
      const outcomes = await Promise.all(calls.map((call) => outcomeOf(() => call.run(), AT_ONCE_MS)));
      return outcomes.flatMap((outcome, index) =>
        outcome.kind === "late" ? [`${calls[index]?.label} waited although its signal was aborted`] : [],
      );
    });
  } finally {
    await backend?.close();
  }
}

async function viewsQuotas(subject: AdapterSubject): Promise<readonly string[]> {
  // A store with a backend is checked by its own tests, with checkQuotaView.
  if (subject.options.backend !== undefined) return [];
  return await withHandler(subject, {}, (handler) => checkQuotaView(handler, "contract"));
}

async function takesUnusualInstances(subject: AdapterSubject): Promise<readonly string[]> {
  return await withHandler(subject, {}, async (handler) => {
    const failures: string[] = [];
    for (const template of subject.definition.templates) {
      for (const [what, argument] of UNUSUAL_INSTANCES[template]()) {
        const label = `${template} (${what})`;
        const [call] = await settleCalls(
          callsOf(handler, subject, { [template]: argument }, undefined),
          subject,
        );
        if (call?.outcome.kind === "late") failures.push(`${label} did not end in time`);
        if (call?.outcome.kind === "rejected" && !isPurserError(call.outcome.error)) {
          failures.push(
            `${label} failed with something other than a PurserError: ${describeError(call.outcome.error)}`,
          );
        }
      }
    }
    const text = await outcomeOf(() => expositionText(handler), deadlineOf(subject));
    if (text.kind !== "answered") failures.push("exposition failed after unusual instances");
    return failures;
  });
}
