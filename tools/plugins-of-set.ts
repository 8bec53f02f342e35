// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../kernel/errors.ts";
import type { HandlerHost, HandlerHttpClient } from "../mixer/runtime/handlers/host.ts";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { CheckDispatch } from "../core/check/ports.ts";
import type { Files } from "../core/hooks/extension.ts";
import type { HandlerDeclaration, Snapshot } from "../core/snapshot/snapshot.ts";
import { TEMPLATE_VARIETY } from "../core/templates/template-names.ts";
import { createCheckDispatch } from "../mixer/runtime/handlers/check-dispatch.ts";
import type { Handler } from "../mixer/runtime/handlers/handler.ts";
import {
  buildHandlerTable,
  EMPTY_TABLE,
  type HandlerEntry,
} from "../mixer/runtime/handlers/handler-table.ts";
import { MixerMetrics } from "../mixer/runtime/metrics/mixer-metrics.ts";
import { ConfigRejected } from "../config/config-rejected.ts";
import type { Diagnostic } from "../kernel/diagnostic.ts";
import { attempt } from "../kernel/maybe-promise.ts";
import type { Runtime } from "../kernel/ports.ts";

/** The plugins of a set of documents, for commands that decide requests without a mixer. */
export interface PluginsOfSet {
  /** Calls the plugins, and the adapters that decide by their documents alone. Such a command calls no backend. */
  readonly dispatch: CheckDispatch;
  /** Number of questions of rules to each handler that nobody answered, which counts as passed. */
  readonly unanswered: ReadonlyMap<string, number>;
  /** The reason that a handler does not answer; undefined for one that does. A plugin's need of the network shows when it is asked. */
  readonly whyUnanswered: (handler: string) => string | undefined;
  readonly close: () => Promise<void>;
}

/** Longest time for the plugins to close, in milliseconds. */
const CLOSE_MS = 1_000;

/** Plugins have neither queues nor threads. */
function forAdapters(): never {
  throw new PurserError("PURSER_INTERNAL", "only adapters with a backend have spools and threads");
}

/**
 * Tests and replays must give the same result everywhere, so plugins get no network.
 *
 * @param onCall Called for each request that is refused.
 */
function offline(onCall: () => void): HandlerHttpClient {
  const refuse = (): Promise<never> => {
    onCall();
    const message = "tests, replays and explanations of policies make no HTTP calls";
    return Promise.reject(new PurserError("PURSER_HANDLER_FAILED", message, { retryable: false }));
  };
  return { request: refuse, send: refuse, close: () => Promise.resolve() };
}

/** Whether a handler can decide without a backend: a plugin, or an adapter that only checks and opens no socket of its own. */
function decidesAlone({ definition, isolation }: HandlerDeclaration): boolean {
  if (definition.extension === "plugin") return true;
  return (
    definition.confined === true &&
    isolation === "none" &&
    definition.templates.every((template) => TEMPLATE_VARIETY[template] === "check")
  );
}

/** @throws {ConfigRejected} when a plugin cannot be built. */
export async function buildPlugins(
  snapshot: Pick<Snapshot, "handlers" | "attributes">,
  runtime: Runtime,
): Promise<PluginsOfSet> {
  const metrics = new MixerMetrics(runtime.clock, () => []);
  const needNetwork = new Set<string>();
  const host: Omit<HandlerHost, "http"> = {
    ...runtime,
    files: filesReadOnce,
    spoolFiles: forAdapters,
    buildInThread: forAdapters,
    metrics,
  };
  const entries = new Map<string, HandlerEntry>();
  const handlers: Handler[] = [];
  const diagnostics: Diagnostic[] = [];
  // One by one, so that a call over the network is known to be of its handler.
  for (const declaration of snapshot.handlers.filter(decidesAlone)) {
    const { name } = declaration;
    const http = (): HandlerHttpClient => offline(() => needNetwork.add(name));
    const outcome = buildHandlerTable([declaration], EMPTY_TABLE, { ...host, http });
    handlers.push(...outcome.built);
    if (outcome.ok) for (const [key, entry] of outcome.table.entries) entries.set(key, entry);
    else diagnostics.push(...outcome.diagnostics);
  }
  const close = async (): Promise<void> => {
    await Promise.all(handlers.map((handler) => handler.close(CLOSE_MS)));
  };
  if (diagnostics.length > 0) {
    await close();
    throw new ConfigRejected(diagnostics);
  }
  const unanswered = new Map<string, number>();
  const leaveUnanswered = (handler: string): undefined => {
    unanswered.set(handler, (unanswered.get(handler) ?? 0) + 1);
    return undefined;
  };
  const dispatch = createCheckDispatch({ entries }, snapshot.attributes, metrics);
  // The first loads of handlers that load in the background are tried now, so that their first answers know of the failure.
  // The scheduler's own timers do not keep a process alive.
  await setTimeout(0);
  return {
    dispatch: {
      attributeSources: dispatch.attributeSources,
      ask(handler, template, instance) {
        if (!entries.has(handler)) return leaveUnanswered(handler);
        return attempt(
          () => dispatch.ask(handler, template, instance),
          (error) => {
            if (needNetwork.has(handler)) return leaveUnanswered(handler);
            throw error;
          },
        );
      },
    },
    unanswered,
    whyUnanswered(handler) {
      if (!entries.has(handler)) return "it is an adapter, and no backend is called here";
      return unanswered.has(handler) ? "it needs the network, which is not used here" : undefined;
    },
    close,
  };
}

/** Reads files at once, so that the plugins are ready for the first request. */
function filesReadOnce(documentFile: string): Files {
  return {
    watch(path, listener, onError) {
      try {
        listener(readFileSync(resolve(dirname(documentFile), path), "utf8"));
      } catch (error) {
        onError(error as Error);
      }
      return () => {};
    },
  };
}
