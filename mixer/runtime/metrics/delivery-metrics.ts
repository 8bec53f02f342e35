// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, Gauge, type Registry } from "prom-client";
import type { DeliveryEvents } from "../../../delivery/events.ts";
import type { DeliveryPort } from "../../../delivery/port.ts";

/** The delivery of one template's instances to a handler. */
export interface NamedDelivery {
  readonly handler: string;
  readonly template: string;
  readonly delivery: DeliveryPort<unknown>;
}

const LABELS = ["handler", "template"] as const;
type Label = (typeof LABELS)[number];

/** Metrics of the handlers' queues: accepted = delivered + dropped + the queue's depth. */
export class DeliveryMetrics {
  readonly #accepted: Counter<Label>;
  /** The number of accepted instances that each delivery was last counted with. */
  readonly #counted = new WeakMap<DeliveryPort<unknown>, number>();
  readonly #delivered: Counter<Label>;
  readonly #dropped: Counter<Label | "reason">;
  readonly #retries: Counter<Label>;

  constructor(registry: Registry, queues: () => Iterable<NamedDelivery>) {
    const registers = [registry];
    this.#delivered = new Counter({
      name: "purser_mixer_delivery_delivered_total",
      help: "Telemetry instances that their backend accepted.",
      labelNames: LABELS,
      registers,
    });
    this.#dropped = new Counter({
      name: "purser_mixer_delivery_dropped_total",
      help: "Telemetry instances that will never arrive: overflow, failed, refused, closed, damaged, unwritable.",
      labelNames: [...LABELS, "reason"],
      registers,
    });
    this.#retries = new Counter({
      name: "purser_mixer_delivery_retries_total",
      help: "Batches tried again.",
      labelNames: LABELS,
      registers,
    });
    this.#accepted = new Counter({
      name: "purser_mixer_delivery_accepted_total",
      help: "Telemetry instances that came to the queue.",
      labelNames: LABELS,
      registers,
      collect: () => {
        for (const { handler, template, delivery } of queues())
          this.#countAccepted(handler, template, delivery);
      },
    });
    const gauge = (
      name: string,
      help: string,
      valueOf: (delivery: DeliveryPort<unknown>) => number | undefined,
    ): void => {
      const metric: Gauge<Label> = new Gauge({
        name,
        help,
        labelNames: LABELS,
        registers,
        collect() {
          metric.reset();
          for (const { handler, template, delivery } of queues()) {
            const value = valueOf(delivery);
            if (value !== undefined) metric.set({ handler, template }, value);
          }
        },
      });
    };
    gauge(
      "purser_mixer_delivery_queue_depth",
      "Telemetry instances waiting or under way.",
      ({ depth }) => depth,
    );
    gauge(
      "purser_mixer_delivery_queue_bytes",
      "Bytes of waiting telemetry: on disk, or as JSON with batchBytes.",
      ({ stats }) => stats.bytes,
    );
    gauge(
      "purser_mixer_delivery_queue_oldest_seconds",
      "Age of the oldest instance that is waiting or under way.",
      ({ stats }) => stats.oldestMs / 1000,
    );
    gauge(
      "purser_mixer_delivery_breaker_open",
      "1 while the circuit breaker holds calls back.",
      ({ stats }) => (stats.breaker === "closed" ? 0 : 1),
    );
    gauge(
      "purser_mixer_delivery_spool_faulty",
      "1 while the disk of a spool refuses writes.",
      ({ faulty }) => (faulty === undefined ? undefined : Number(faulty)),
    );
  }

  events(
    handler: string,
    template: string,
  ): Pick<DeliveryEvents<unknown>, "sending" | "delivered" | "dropped"> {
    return {
      sending: ({ attempts }) => {
        if (attempts > 1) this.#retries.inc({ handler, template });
      },
      delivered: ({ items }) => this.#delivered.inc({ handler, template }, items.length),
      dropped: (items, reason) => this.#dropped.inc({ handler, template, reason }, items),
    };
  }

  /** Counts the instances that came since the last scrape; also called when a delivery is closed. */
  closed({ handler, template, delivery }: NamedDelivery): void {
    this.#countAccepted(handler, template, delivery);
  }

  #countAccepted(handler: string, template: string, delivery: DeliveryPort<unknown>): void {
    const { offered } = delivery;
    this.#accepted.inc({ handler, template }, offered - (this.#counted.get(delivery) ?? 0));
    this.#counted.set(delivery, offered);
  }
}
