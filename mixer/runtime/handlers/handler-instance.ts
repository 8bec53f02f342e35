// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AdapterHandler, PluginHandler } from "../../../core/hooks/extension.ts";
import type { HandlerDeclaration } from "../../../core/snapshot/snapshot.ts";
import type { Logger } from "../../../kernel/ports.ts";
import type { HandlerHost, HandlerHttpClient } from "./host.ts";
import type { Supervisor } from "./supervision/supervisor.ts";
import { TrackedScheduler } from "./tracked-scheduler.ts";

export type Built =
  | { readonly kind: "adapter"; readonly handler: AdapterHandler }
  | { readonly kind: "plugin"; readonly handler: PluginHandler };

/** One build of a handler's extension, with the ports that it was given; replaced when the handler is restarted. */
export class HandlerInstance {
  readonly built: Built;
  readonly #host: HandlerHost;
  readonly #scheduler: TrackedScheduler;
  #http: HandlerHttpClient | undefined;

  /** @throws what the definition's `build` throws, after cancelling all that it had scheduled. */
  constructor(declaration: HandlerDeclaration, host: HandlerHost, logger: Logger, supervisor: Supervisor) {
    this.#host = host;
    this.#scheduler = new TrackedScheduler(host.scheduler, logger, (task) => supervisor.runTask(task));
    try {
      this.built = this.#build(declaration, logger, supervisor);
    } catch (error) {
      this.#scheduler.close();
      throw error;
    }
  }

  /**
   * Closes the extension, its connections and its scheduled tasks. Rejects as the extension's close does, after closing the rest.
   *
   * @param late Rejects when the extension has had its time.
   */
  async close(late: Promise<never>): Promise<void> {
    try {
      await Promise.race([this.built.handler.close(), late]);
    } finally {
      await this.#http?.close();
    }
  }

  /** Cancels what the closed extension left scheduled, and returns the number of these tasks. */
  cancelLeaks(): number {
    return this.#scheduler.close();
  }

  #build(declaration: HandlerDeclaration, logger: Logger, supervisor: Supervisor): Built {
    const { clock, random, files, http, buildInThread } = this.#host;
    const client = (): HandlerHttpClient => (this.#http ??= http());
    const context = {
      handler: declaration.name,
      config: declaration.config,
      logger,
      clock,
      random,
      scheduler: this.#scheduler,
      files: files(declaration.location.file),
      // Most handlers need no client.
      get http() {
        return client();
      },
    };
    const { definition, isolation } = declaration;
    if (isolation === "thread") {
      const onFault = (error: Error): void => supervisor.fault("exception", error);
      return { kind: "adapter", handler: buildInThread(declaration, context, onFault) };
    }
    return definition.extension === "adapter"
      ? { kind: "adapter", handler: definition.build(context) }
      : { kind: "plugin", handler: definition.build(context) };
  }
}
