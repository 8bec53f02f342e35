// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AdapterHandler } from "../../../core/hooks/extension.ts";
import type { TemplateName } from "../../../core/templates/template-names.ts";
import { TEMPLATE_VARIETY } from "../../../core/templates/template-names.ts";
import { isPurserError, messageOf, PurserError } from "../../../kernel/errors.ts";
import { attempt, type MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { Logger } from "../../../kernel/ports.ts";
import type { HandlerDeclaration } from "../../../core/snapshot/snapshot.ts";
import type { DeliveryPort } from "../../../delivery/port.ts";
import { type CallContext, withDeadline } from "../../../kernel/deadline.ts";
import { createHandlerDelivery, handlerTimeout, type Send } from "./handler-delivery.ts";
import { type Built, HandlerInstance } from "./handler-instance.ts";
import type { HandlerHost } from "./host.ts";
import { MovableDeadline } from "./movable-deadline.ts";
import { Supervisor } from "./supervision/supervisor.ts";

/**
 * How long a request waits for a handler. Less than the second that a proxy waits for a whole check, so that
 * a slow handler affects only the documents that use it, and does not look like an unavailable mixer.
 */
const ON_THE_WAY_MS = 500;

/** The share of a handler's closing time for the delivery of its queues; the rest is for its own close(). */
const DELIVERY_SHARE = 7 / 8;

/** Time that a replaced instance has to close, in milliseconds. */
const REPLACED_CLOSE_MS = 5_000;

/**
 * A running adapter or plugin with its configuration. It lives as long as any snapshot declares it with the
 * same signature.
 */
export class Handler {
  readonly declaration: HandlerDeclaration;
  /** One queue for each report template. */
  readonly deliveries: ReadonlyMap<TemplateName, DeliveryPort<unknown>>;
  readonly #host: HandlerHost;
  readonly #logger: Logger;
  readonly #deadline: MovableDeadline;
  readonly #supervisor: Supervisor;
  #instance: HandlerInstance;
  #closing: Promise<void> | undefined;

  /** @throws what the definition's `build` throws, after cancelling all that it had scheduled. */
  constructor(declaration: HandlerDeclaration, host: HandlerHost) {
    this.declaration = declaration;
    this.#host = host;
    this.#logger = host.logger.child({ handler: declaration.name });
    this.#deadline = new MovableDeadline(host);
    const { clock, random, scheduler, metrics } = host;
    this.#supervisor = new Supervisor({
      clock,
      random,
      scheduler,
      logger: this.#logger,
      follow: declaration.definition.extension === "plugin" || declaration.definition.confined !== true,
      count: (kind) => metrics.handlerFault(this.name, kind),
      restart: () => this.#restart(),
    });
    this.#instance = this.#build();
    this.deliveries = this.#createDeliveries();
  }

  /** The instance in force: another one after a restart. */
  get built(): Built {
    return this.#instance.built;
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
      () => this.#supervisor.run(() => this.#withDeadline(work, timeoutMs)),
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

  #withDeadline<T>(work: (call: CallContext) => MaybePromise<T>, timeoutMs: number): MaybePromise<T> {
    return withDeadline(this.#host.scheduler, timeoutMs, work, () => this.#timedOut(timeoutMs));
  }

  #timedOut(timeoutMs: number): PurserError {
    const error = handlerTimeout(this.name, timeoutMs);
    this.#supervisor.fault("unsettled", error);
    return error;
  }

  #build(): HandlerInstance {
    const supervisor = this.#supervisor;
    return supervisor.run(() => new HandlerInstance(this.declaration, this.#host, this.#logger, supervisor));
  }

  /**
   * Replaces the instance of an adapter. A plugin goes on: its taps belong to the snapshot's hooks.
   *
   * @throws what the definition's `build` throws; then the old instance goes on.
   */
  #restart(): void {
    const old = this.#instance;
    if (old.built.kind === "plugin" || this.#closing !== undefined) return;
    this.#instance = this.#build();
    const deadline = new MovableDeadline(this.#host);
    deadline.bringForward(REPLACED_CLOSE_MS);
    void this.#closeInstance(old, deadline);
  }

  #createDeliveries(): ReadonlyMap<TemplateName, DeliveryPort<unknown>> {
    const deliveries = new Map<TemplateName, DeliveryPort<unknown>>();
    if (this.built.kind === "plugin") return deliveries;
    const { handler } = this.built;
    for (const template of this.declaration.definition.templates) {
      if (TEMPLATE_VARIETY[template] !== "report") continue;
      if (handler[template] === undefined) continue;
      const { orderKey } = handler;
      const { definition, delivery, location } = this.declaration;
      const target = {
        handler: this.name,
        template,
        settings: delivery,
        documentFile: location.file,
        ordered: definition.extension === "plugin" || definition.ordered !== false,
        keyOf: orderKey === undefined ? undefined : (item: unknown) => orderKey.call(handler, template, item),
        send: this.#sendTo(template),
        onTimeout: () => this.#timedOut(delivery.timeoutMs),
        logger: this.#logger,
      };
      deliveries.set(template, createHandlerDelivery(target, this.#host));
    }
    return deliveries;
  }

  /** The report plan fills the queue's instances for the template. */
  #sendTo(template: TemplateName): Send {
    return (instances, call) => {
      const { handler } = this.built as { readonly handler: AdapterHandler };
      return this.#supervisor.run(() =>
        (handler[template as "metric"] as unknown as Send).call(handler, instances, call),
      );
    };
  }

  async #close(delivering: readonly Promise<void>[]): Promise<void> {
    if (delivering.length > 0 && !(await this.#inTime(delivering)))
      this.#logger.error("a handler's queues were not closed in time: does the disk of its spool hang?");
    for (const [template, delivery] of this.deliveries)
      this.#host.metrics.deliveryClosed({ handler: this.name, template, delivery });
    this.#supervisor.close();
    await this.#closeInstance(this.#instance, this.#deadline);
  }

  /** Whether the queues close before the deadline: those whose disk hangs never do. */
  async #inTime(delivering: readonly Promise<void>[]): Promise<boolean> {
    return await Promise.race([
      Promise.all(delivering).then(() => true),
      this.#deadline.reached.then(() => false),
    ]);
  }

  async #closeInstance(instance: HandlerInstance, deadline: MovableDeadline): Promise<void> {
    try {
      const late = deadline.reached.then(() => {
        throw new PurserError("PURSER_HANDLER_TIMEOUT", `handler ${this.name} did not close in time`);
      });
      await this.#supervisor.run(() => instance.close(late));
    } catch (error) {
      this.#logger.error("a handler failed to close", { error: messageOf(error) });
    }
    deadline.cancel();
    const leaked = instance.cancelLeaks();
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
