// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AdapterHandler, PluginHandler } from "../../../core/hooks/extension.ts";
import type { TemplateName } from "../../../core/templates/template-names.ts";
import { TEMPLATE_VARIETY } from "../../../core/templates/template-names.ts";
import { isPurserError, messageOf, PurserError } from "../../../kernel/errors.ts";
import { attempt, type MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { Logger } from "../../../kernel/ports.ts";
import type { HandlerDeclaration } from "../../../core/snapshot/snapshot.ts";
import type { DeliveryPort } from "../../../delivery/port.ts";
import { type CallContext, withDeadline } from "../../../kernel/deadline.ts";
import { createHandlerDelivery, handlerTimeout, type Send } from "./handler-delivery.ts";
import type { HandlerHost, HandlerHttpClient } from "./host.ts";
import { MovableDeadline } from "./movable-deadline.ts";
import { TrackedScheduler } from "./tracked-scheduler.ts";

/**
 * How long a request waits for a handler. Less than the second that a proxy waits for a whole check, so that
 * a slow handler affects only the documents that use it, and does not look like an unavailable mixer.
 */
const ON_THE_WAY_MS = 500;

/** The share of a handler's closing time for the delivery of its queues; the rest is for its own close(). */
const DELIVERY_SHARE = 7 / 8;

export type Built =
  | { readonly kind: "adapter"; readonly handler: AdapterHandler }
  | { readonly kind: "plugin"; readonly handler: PluginHandler };

/**
 * A running adapter or plugin with its configuration. It lives as long as any snapshot declares it with the
 * same signature.
 */
export class Handler {
  readonly declaration: HandlerDeclaration;
  readonly built: Built;
  /** One queue for each report template. */
  readonly deliveries: ReadonlyMap<TemplateName, DeliveryPort<unknown>>;
  readonly #host: HandlerHost;
  readonly #logger: Logger;
  readonly #scheduler: TrackedScheduler;
  readonly #deadline: MovableDeadline;
  #http: HandlerHttpClient | undefined;
  #closing: Promise<void> | undefined;

  /** @throws what the definition's `build` throws, after cancelling all that it had scheduled. */
  constructor(declaration: HandlerDeclaration, host: HandlerHost) {
    this.declaration = declaration;
    this.#host = host;
    this.#logger = host.logger.child({ handler: declaration.name });
    this.#scheduler = new TrackedScheduler(host.scheduler, this.#logger);
    this.#deadline = new MovableDeadline(host);
    try {
      this.built = this.#build();
    } catch (error) {
      this.#scheduler.close();
      throw error;
    }
    this.deliveries = this.#createDeliveries();
  }

  get name(): string {
    return this.declaration.name;
  }

  /**
   * Calls into the handler's code while a request waits: within ON_THE_WAY_MS, or the handler's own deadline
   * when that is shorter. Fails as `call` does.
   */
  callOnTheWay<T>(work: (call: CallContext) => MaybePromise<T>): MaybePromise<T> {
    return this.call(work, Math.min(ON_THE_WAY_MS, this.declaration.delivery.timeoutMs));
  }

  /**
   * Calls into the handler's code within its deadline. Every failure becomes a PurserError that names the
   * handler: PURSER_HANDLER_TIMEOUT, the handler's own code, or PURSER_HANDLER_FAILED.
   */
  call<T>(
    work: (call: CallContext) => MaybePromise<T>,
    timeoutMs: number = this.declaration.delivery.timeoutMs,
  ): MaybePromise<T> {
    return attempt(
      () => withDeadline(this.#host.scheduler, timeoutMs, work, () => handlerTimeout(this.name, timeoutMs)),
      (error) => {
        throw this.#named(error);
      },
    );
  }

  /**
   * Delivers queued telemetry, then closes the handler, within the deadline. A later call can shorten the
   * deadline. Never rejects.
   */
  close(deadlineMs: number): Promise<void> {
    if (!this.#deadline.bringForward(deadlineMs) && this.#closing !== undefined) return this.#closing;
    const delivering = [...this.deliveries.values()].map((delivery) =>
      delivery.close(deadlineMs * DELIVERY_SHARE),
    );
    return (this.#closing ??= this.#close(delivering));
  }

  #build(): Built {
    const { declaration } = this;
    const { clock, random, files, http } = this.#host;
    const client = (): HandlerHttpClient => (this.#http ??= http());
    const context = {
      handler: declaration.name,
      config: declaration.config,
      logger: this.#logger,
      clock,
      random,
      scheduler: this.#scheduler,
      files: files(declaration.location.file),
      // Most handlers need no client.
      get http() {
        return client();
      },
    };
    const { definition } = declaration;
    return definition.extension === "adapter"
      ? { kind: "adapter", handler: definition.build(context) }
      : { kind: "plugin", handler: definition.build(context) };
  }

  #createDeliveries(): ReadonlyMap<TemplateName, DeliveryPort<unknown>> {
    const deliveries = new Map<TemplateName, DeliveryPort<unknown>>();
    if (this.built.kind === "plugin") return deliveries;
    const { handler } = this.built;
    for (const template of this.declaration.definition.templates) {
      if (TEMPLATE_VARIETY[template] !== "report") continue;
      // The report plan fills the queue's instances for this template.
      const send = (handler[template as "metric"] as unknown as Send | undefined)?.bind(handler);
      if (send === undefined) continue;
      const { orderKey } = handler;
      const { definition, delivery, location } = this.declaration;
      const target = {
        handler: this.name,
        template,
        settings: delivery,
        documentFile: location.file,
        ordered: definition.extension === "plugin" || definition.ordered !== false,
        keyOf: orderKey === undefined ? undefined : (item: unknown) => orderKey.call(handler, template, item),
        send,
        logger: this.#logger,
      };
      deliveries.set(template, createHandlerDelivery(target, this.#host));
    }
    return deliveries;
  }

  async #close(delivering: readonly Promise<void>[]): Promise<void> {
    await Promise.all(delivering);
    for (const [template, delivery] of this.deliveries)
      this.#host.metrics.deliveryClosed({ handler: this.name, template, delivery });
    try {
      const late = this.#deadline.reached.then(() => {
        throw new PurserError("PURSER_HANDLER_TIMEOUT", `handler ${this.name} did not close in time`);
      });
      await Promise.race([this.built.handler.close(), late]);
    } catch (error) {
      this.#logger.error("a handler failed to close", { error: messageOf(error) });
    }
    await this.#http?.close();
    this.#deadline.cancel();
    const leaked = this.#scheduler.close();
    if (leaked > 0) this.#logger.warn("a handler left work scheduled when it was closed", { tasks: leaked });
    this.#host.metrics.handlerClosed(this.name, leaked);
  }

  #named(error: unknown): PurserError {
    if (isPurserError(error) && error.code === "PURSER_HANDLER_TIMEOUT") return error;
    return new PurserError(
      isPurserError(error) ? error.code : "PURSER_HANDLER_FAILED",
      `handler ${this.name} failed: ${messageOf(error)}`,
      {
        cause: error,
        retryable: isPurserError(error) && error.retryable,
        details: { handler: this.name },
      },
    );
  }
}
