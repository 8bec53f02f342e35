// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// The entry of a handler's thread: builds the adapter, calls it as messages ask, and answers.

import { parentPort, workerData } from "node:worker_threads";
import { BUNDLED_ADAPTERS } from "../../../adapters/inventory.ts";
import { loadExtensions } from "../../../config/extension-loader.ts";
import type { AdapterDefinition, AdapterHandler } from "../../../core/hooks/extension.ts";
import type { LogFields, Logger } from "../../../kernel/ports.ts";
import { createHttpClient } from "../../../plugins/sdk/http/client.ts";
import { filesBeside } from "../files.ts";
import { systemClock, systemRandom, systemScheduler } from "../platform.ts";
import {
  fieldsOf,
  type FromThread,
  type RemoteFunction,
  type ThreadHandlerData,
  type ToThread,
} from "./messages.ts";

const port = parentPort;
if (port === null) throw new Error("this module is the entry of a worker thread");
const { handler: name, adapter, from, documentFile, config } = workerData as ThreadHandlerData;
const answer = (message: FromThread): void => port.postMessage(message);

const handler = buildHandler();
const http = createHttpClient(systemClock);
const calls = new Map<number, AbortController>();

port.on("message", (message: ToThread) => {
  if (message.kind === "abort") calls.get(message.id)?.abort(new Error("the call's deadline passed"));
  else void run(message);
});

// A handler that cannot be built ends the thread.
await handler;
answer({ kind: "ready" });

process.on("unhandledRejection", (reason) => answer({ kind: "fault", error: fieldsOf(reason) }));

async function run({ id, name: called, args }: ToThread & { readonly kind: "call" }): Promise<void> {
  const controller = new AbortController();
  calls.set(id, controller);
  try {
    const value = await callOf(await handler, called, args, controller.signal);
    answer({ kind: "answer", id, value });
  } catch (error) {
    answer({ kind: "failure", id, error: fieldsOf(error) });
  } finally {
    calls.delete(id);
  }
}

async function callOf(
  built: AdapterHandler,
  called: RemoteFunction,
  args: readonly unknown[],
  signal: AbortSignal,
): Promise<unknown> {
  switch (called) {
    case "exposition":
      return (await built.exposition?.()) ?? "";
    case "healthy":
      return (await built.healthy?.()) ?? true;
    case "close":
      await built.close();
      return await http.close();
    default: {
      const call = built[called] as ((...passed: unknown[]) => unknown) | undefined;
      return outcomeOf(await call?.call(built, ...args, ...(args.length === 1 ? [{ signal }] : [])));
    }
  }
}

/** An outcome whose errors survive the way to another thread. */
function outcomeOf(outcome: unknown): unknown {
  if (typeof outcome !== "object" || outcome === null || !("refused" in outcome)) return outcome;
  const { refused } = outcome as {
    readonly refused: readonly { readonly index: number; readonly error: unknown }[];
  };
  return { refused: refused.map(({ index, error }) => ({ index, error: fieldsOf(error) })) };
}

async function buildHandler(): Promise<AdapterHandler> {
  return (await findAdapter()).build({
    handler: name,
    config,
    logger: loggerWith({}),
    clock: systemClock,
    random: systemRandom,
    scheduler: systemScheduler,
    files: filesBeside(documentFile),
    http,
  });
}

async function findAdapter(): Promise<AdapterDefinition> {
  if (from === undefined) {
    const bundled = BUNDLED_ADAPTERS.find((definition) => definition.name === adapter);
    if (bundled !== undefined) return bundled;
    throw new Error(`there is no bundled adapter ${adapter}`);
  }
  const loaded = await loadExtensions(from, documentFile, systemScheduler);
  const definition = loaded.ok ? loaded.extensions.adapters.get(adapter) : undefined;
  if (definition !== undefined) return definition;
  throw new Error(loaded.ok ? `${from} exports no adapter ${adapter}` : loaded.message);
}

function loggerWith(base: LogFields): Logger {
  const write =
    (level: "debug" | "info" | "warn" | "error") =>
    (message: string, fields: LogFields = {}): void => {
      try {
        answer({ kind: "log", level, message, fields: { ...base, ...fields } });
      } catch {
        // A field that cannot be copied to another thread.
        answer({ kind: "log", level, message, fields: base });
      }
    };
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    child: (fields) => loggerWith({ ...base, ...fields }),
  };
}
