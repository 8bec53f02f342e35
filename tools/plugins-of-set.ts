// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../kernel/errors.ts";
import type { HandlerHttpClient } from "../mixer/runtime/handlers/host.ts";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { CheckDispatch } from "../core/check/ports.ts";
import type { Files } from "../core/hooks/extension.ts";
import type { Snapshot } from "../core/snapshot/snapshot.ts";
import { createCheckDispatch } from "../mixer/runtime/handlers/check-dispatch.ts";
import { buildHandlerTable, EMPTY_TABLE } from "../mixer/runtime/handlers/handler-table.ts";
import { MixerMetrics } from "../mixer/runtime/metrics/mixer-metrics.ts";
import { ConfigRejected } from "../config/config-rejected.ts";
import type { Runtime } from "../kernel/ports.ts";

/** The plugins of a set of documents, for commands that decide requests without a mixer. */
export interface PluginsOfSet {
  /** Calls the plugins. Adapters are not built: such a command writes nowhere and calls no backend. */
  readonly dispatch: CheckDispatch;
  /** Number of calls to each adapter that rules asked: nobody answers them, which counts as passed. */
  readonly unanswered: ReadonlyMap<string, number>;
  /** Names of the handlers that `dispatch` calls. */
  readonly answering: ReadonlySet<string>;
  readonly close: () => Promise<void>;
}

/** Longest time for the plugins to close, in milliseconds. */
const CLOSE_MS = 1_000;

/** Tests and replays must give the same result everywhere, so plugins get no network. */
const OFFLINE: HandlerHttpClient = {
  request: refuseCall,
  send: refuseCall,
  close: () => Promise.resolve(),
};

/** Plugins have neither queues nor threads. */
function forAdapters(): never {
  throw new PurserError("PURSER_INTERNAL", "only adapters have spools and threads");
}

function refuseCall(): Promise<never> {
  const message = "tests and replays of policies make no HTTP calls";
  return Promise.reject(new PurserError("PURSER_HANDLER_FAILED", message, { retryable: false }));
}

/** @throws {ConfigRejected} when a plugin cannot be built. */
export async function buildPlugins(
  snapshot: Pick<Snapshot, "handlers" | "attributes">,
  runtime: Runtime,
): Promise<PluginsOfSet> {
  const metrics = new MixerMetrics(runtime.clock, () => []);
  const plugins = snapshot.handlers.filter(({ definition }) => definition.extension === "plugin");
  const built = buildHandlerTable(plugins, EMPTY_TABLE, {
    ...runtime,
    files: filesReadOnce,
    http: () => OFFLINE,
    spoolFiles: forAdapters,
    buildInThread: forAdapters,
    metrics,
  });
  const close = async (): Promise<void> => {
    await Promise.all(built.ok ? built.built.map((handler) => handler.close(CLOSE_MS)) : []);
  };
  if (!built.ok) {
    await Promise.all(built.built.map((handler) => handler.close(CLOSE_MS)));
    throw new ConfigRejected(built.diagnostics);
  }
  const unanswered = new Map<string, number>();
  const dispatch = createCheckDispatch(built.table, snapshot.attributes, metrics);
  return {
    dispatch: {
      attributeSources: dispatch.attributeSources,
      ask(handler, template, instance) {
        if (built.table.entries.has(handler)) return dispatch.ask(handler, template, instance);
        unanswered.set(handler, (unanswered.get(handler) ?? 0) + 1);
        return undefined;
      },
    },
    unanswered,
    answering: new Set(built.table.entries.keys()),
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
