// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeSource, CheckDispatch } from "../../../core/check/ports.ts";
import type { CheckInstance } from "../../../core/check/instances.ts";
import type { AttributeManifest } from "../../../expressions/manifest/manifest.ts";
import type { TemplateName } from "../../../core/templates/template-names.ts";
import type { CallContext } from "../../../kernel/deadline.ts";
import { PurserError } from "../../../kernel/errors.ts";
import type { MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { CheckAnswer } from "../../../core/templates/instances.ts";
import type { MixerMetrics } from "../metrics/mixer-metrics.ts";
import type { HandlerEntry, HandlerTable } from "./handler-table.ts";
import { callHook } from "./hook-call.ts";

/**
 * Dispatches checks to the handlers of one snapshot, with deadlines, metrics and errors that name the
 * handler.
 */
export function createCheckDispatch(
  table: HandlerTable,
  manifest: AttributeManifest,
  metrics: MixerMetrics,
): CheckDispatch {
  return {
    attributeSources: [...table.entries.values()].flatMap((entry) => attributeSourceOf(entry, manifest)),
    ask: (name, template, instance) => {
      const entry = table.entries.get(name);
      if (entry === undefined) {
        throw new PurserError("PURSER_INTERNAL", `no handler ${name} in this snapshot`);
      }
      return metrics.measureDispatch(name, template, () => ask(entry, template, instance));
    },
  };
}

function attributeSourceOf(
  { handler, hooks }: HandlerEntry,
  manifest: AttributeManifest,
): readonly AttributeSource[] {
  if (hooks === undefined || !hooks.attributes.isUsed()) return [];
  return [
    {
      ref: { kind: "Handler", name: handler.name },
      manifest,
      add: (bag) => handler.callOnTheWay(() => callHook((done) => hooks.attributes.callAsync(bag, done))),
    },
  ];
}

type Ask = (instance: CheckInstance, call: CallContext) => MaybePromise<CheckAnswer>;

function ask(
  { handler, hooks }: HandlerEntry,
  template: TemplateName,
  instance: CheckInstance,
): MaybePromise<CheckAnswer | undefined> {
  if (handler.built.kind === "plugin") {
    const hook = hooks?.check.get(template);
    return hook === undefined
      ? undefined
      : handler.callOnTheWay(() => callHook((done) => hook.callAsync(instance, done)));
  }
  const adapter = handler.built.handler;
  // evaluateCheck made the instance for this template.
  const method = adapter[template as "listentry"] as Ask | undefined;
  if (method === undefined) {
    throw new PurserError("PURSER_HANDLER_FAILED", `handler ${handler.name} does not implement ${template}`);
  }
  return handler.callOnTheWay((call) => method.call(adapter, instance, call));
}
