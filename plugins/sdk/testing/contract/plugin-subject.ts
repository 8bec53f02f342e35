// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PluginDefinition, PluginHandler } from "../../../../core/hooks/extension.ts";
import { createHandlerHooks, type HandlerHooks } from "../../../../core/hooks/hooks.ts";
import { createTestContext } from "../context.ts";
import { createMemoryFiles } from "../memory-files.ts";
import { createRealTime } from "../time.ts";
import type { TestRunner } from "./clause.ts";
import { type CallOutcome, outcomeOf } from "./outcome.ts";

export interface PluginContractOptions {
  /** A configuration, when a required field has no default. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Files that the configuration names, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Attributes that the plugin adds and that an AttributeManifest declares, besides its `provides`. */
  readonly attributes?: PluginDefinition["provides"];
  /** Time in which each call must answer or reject, in milliseconds of real time. Default 1000. */
  readonly deadlineMs?: number;
  /** Default: the global `describe` and `it`. */
  readonly runner?: TestRunner;
}

/** The plugin that the clauses check. */
export interface PluginSubject {
  readonly definition: PluginDefinition;
  readonly options: PluginContractOptions;
}

export function applied(handler: PluginHandler): HandlerHooks {
  const hooks = createHandlerHooks();
  handler.apply(hooks);
  return hooks;
}

export function deadlineOf({ options }: PluginSubject): number {
  return options.deadlineMs ?? 1000;
}

/** A handler; `end` closes what the context has, as the host does after the handler's own close. */
export function build({ definition, options }: PluginSubject) {
  const context = createTestContext(definition, options.config, {
    time: createRealTime(),
    files: createMemoryFiles(options.files),
  });
  const end = async (): Promise<void> => {
    await context.http.close();
    context.time.cancelAll();
  };
  try {
    return { context, handler: definition.build(context), end };
  } catch (error) {
    void end();
    throw error;
  }
}

export async function withHandler<T>(
  subject: PluginSubject,
  use: (handler: PluginHandler) => T | Promise<T>,
): Promise<T> {
  const { handler, end } = build(subject);
  try {
    return await use(handler);
  } finally {
    await closing(handler, subject);
    await end();
  }
}

export function closing(handler: PluginHandler, subject: PluginSubject): Promise<CallOutcome> {
  return outcomeOf(() => handler.close(), deadlineOf(subject));
}
