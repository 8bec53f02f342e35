// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { AdapterHandler, ExtensionContext } from "../../../core/hooks/extension.ts";
import type { HandlerDeclaration } from "../../../core/snapshot/snapshot.ts";
import { TEMPLATE_VARIETY, type TemplateName } from "../../../core/templates/template-names.ts";
import type { CallContext } from "../../../kernel/deadline.ts";
import { messageOf, PurserError } from "../../../kernel/errors.ts";
import {
  type ErrorFields,
  errorOf,
  type FromThread,
  type RemoteFunction,
  type ThreadHandlerData,
  type ToThread,
} from "./messages.ts";

/** Maximum heap of a thread: an adapter that leaks ends alone. */
const MAX_HEAP_MB = 256;

/** Time in which a thread must answer anything at all before it counts as stuck, in milliseconds. */
const STUCK_MS = 5_000;

interface PendingCall {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Builds an adapter in a worker thread: its code cannot hold the event loop of the mixer, nor end its process.
 *
 * @param onFault Called when the thread ends unasked or is stuck; a new handler must then be built.
 */
export function buildInThread(
  { name, definition, config, from, location }: HandlerDeclaration,
  { logger }: ExtensionContext<unknown>,
  onFault: (error: Error) => void,
): AdapterHandler {
  const data: ThreadHandlerData = {
    handler: name,
    adapter: definition.name,
    from,
    documentFile: location.file,
    config,
  };
  const thread = new HandlerThread(data, logger, onFault);
  const functions = definition.templates.map((template) => [template, thread.functionOf(template)] as const);
  return {
    ...(Object.fromEntries(functions) as Partial<AdapterHandler>),
    exposition: async () => (await thread.call("exposition", [])) as string,
    healthy: async () => (await thread.call("healthy", [])) as boolean,
    close: () => thread.close(),
  };
}

class HandlerThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, PendingCall>();
  readonly #onFault: (error: Error) => void;
  readonly #logger: ExtensionContext<unknown>["logger"];
  /** Calls that wait until the thread has built the adapter; undefined afterwards. */
  #unsent: (ToThread & { readonly kind: "call" })[] | undefined = [];
  #lastId = 0;
  #lastAnswerMs = performance.now();
  #ended: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    data: ThreadHandlerData,
    logger: ExtensionContext<unknown>["logger"],
    onFault: (error: Error) => void,
  ) {
    this.#logger = logger;
    this.#onFault = onFault;
    this.#worker = new Worker(threadFile(), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    this.#worker.unref();
    this.#worker.on("message", (message: FromThread) => this.#take(message));
    this.#worker.on("error", (error) => this.#end(error));
    this.#worker.on("exit", (code) => this.#end(new Error(`the handler's thread ended with code ${code}`)));
  }

  functionOf(template: TemplateName): (argument: unknown, call: CallContext) => Promise<unknown> {
    // A quota store has its own options in place of a call's signal.
    if (TEMPLATE_VARIETY[template] === "quota")
      return (requests, options) => this.call(template, [requests, options]);
    return async (argument, call) => withErrors(await this.call(template, [argument], call));
  }

  call(name: RemoteFunction, args: readonly unknown[], call?: CallContext): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(unavailable(this.#ended));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        const waiting = this.#unsent?.findIndex((message) => message.id === id) ?? -1;
        // Nothing must arrive of a call that has failed already.
        if (waiting >= 0) this.#unsent?.splice(waiting, 1);
        else if (this.#pending.has(id)) this.#abort(id);
      };
      const settle = (): void => {
        this.#pending.delete(id);
        call?.signal.removeEventListener("abort", abort);
      };
      this.#pending.set(id, {
        resolve: (value) => {
          settle();
          resolve(value);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      call?.signal.addEventListener("abort", abort);
      try {
        const message = { kind: "call", id, name, args } as const;
        if (this.#unsent === undefined) this.#send(message);
        else this.#unsent.push(message);
      } catch (error) {
        this.#pending.get(id)?.reject(uncopyable(error));
      }
    });
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    try {
      if (this.#ended === undefined) await this.call("close", []);
    } finally {
      this.#ended ??= new Error("the handler is closed");
      await this.#worker.terminate();
      for (const call of this.#pending.values()) call.reject(unavailable(this.#ended));
    }
  }

  #take(message: FromThread): void {
    this.#lastAnswerMs = performance.now();
    if (message.kind === "ready") this.#begin();
    else if (message.kind === "log") this.#logger[message.level](message.message, message.fields);
    else if (message.kind === "fault") this.#onFault(errorOf(message.error));
    else if (message.kind === "answer") this.#pending.get(message.id)?.resolve(message.value);
    else this.#pending.get(message.id)?.reject(errorOf(message.error));
  }

  #begin(): void {
    const unsent = this.#unsent ?? [];
    this.#unsent = undefined;
    for (const message of unsent) {
      try {
        this.#send(message);
      } catch (error) {
        this.#pending.get(message.id)?.reject(uncopyable(error));
      }
    }
  }

  #abort(id: number): void {
    this.#send({ kind: "abort", id });
    this.#endIfStuck();
  }

  /** A thread that is silent for long after a call's deadline runs in a loop without end: only its end stops it. */
  #endIfStuck(): void {
    const silentSince = this.#lastAnswerMs;
    setTimeout(() => {
      if (this.#lastAnswerMs !== silentSince || this.#ended !== undefined) return;
      this.#end(new Error(`the handler's thread did not answer for ${STUCK_MS} ms after a call's deadline`));
      void this.#worker.terminate();
    }, STUCK_MS).unref();
  }

  #end(error: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    for (const call of this.#pending.values()) call.reject(unavailable(error));
    if (this.#closing === undefined) this.#onFault(error);
  }

  #send(message: ToThread): void {
    this.#worker.postMessage(message);
  }
}

/** The thread's entry file, which is a TypeScript file when the sources run as they are. */
function threadFile(): string {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`./thread-main.${extension}`, import.meta.url));
}

/** Makes errors of the fields that a thread sent. */
function withErrors(outcome: unknown): unknown {
  if (typeof outcome !== "object" || outcome === null || !("refused" in outcome)) return outcome;
  const { refused } = outcome as {
    readonly refused: readonly { readonly index: number; readonly error: ErrorFields }[];
  };
  return { refused: refused.map(({ index, error }) => ({ index, error: errorOf(error) })) };
}

/** The error of an instance that cannot be copied to another thread, such as one with a function in it. */
function uncopyable(error: unknown): PurserError {
  return new PurserError("PURSER_HANDLER_FAILED", messageOf(error), { cause: error, retryable: false });
}

function unavailable(cause: Error): PurserError {
  return new PurserError("PURSER_HANDLER_FAILED", cause.message, { cause, retryable: true });
}
