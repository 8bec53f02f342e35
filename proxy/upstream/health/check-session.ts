// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CheckOutcome } from "../../../core/traffic/health/active-health.ts";
import type { HealthCheck } from "../../../core/traffic/resources/health-check.ts";
import type { Cancel, Random, Scheduler } from "../../../kernel/ports.ts";
import type { CheckQueue, QueuedCheck } from "./check-queue.ts";
import type { Probe } from "../../transport/probes/probe.ts";

export interface CheckSessionServices {
  readonly queue: CheckQueue;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Whether the cluster has had a request. */
  hasTraffic(): boolean;
  onOutcome(outcome: CheckOutcome): void;
}

/** Checks one endpoint again and again, from its construction until `close`. */
export class CheckSession implements QueuedCheck {
  readonly #settings: HealthCheck;
  readonly #probe: Probe;
  readonly #services: CheckSessionServices;
  /** Cancels the pause before the next check. */
  #cancelPause: Cancel | undefined;
  /** Cancels the check under way and its deadline. */
  #cancelCheck: Cancel | undefined;
  #isClosed = false;

  /** @param probe Closed with the session. */
  constructor(settings: HealthCheck, probe: Probe, services: CheckSessionServices) {
    this.#settings = settings;
    this.#probe = probe;
    this.#services = services;
    this.#pause(services.random() * settings.initialJitterMs);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelPause?.();
    this.#services.queue.withdraw(this);
    if (this.#cancelCheck !== undefined) {
      this.#cancelCheck();
      this.#services.queue.leave();
    }
    this.#probe.close();
  }

  /** Called by the queue. */
  run(): void {
    const cancelProbe = this.#probe.check((outcome) => this.#onDone(outcome));
    const cancelDeadline = this.#services.scheduler.after(this.#settings.timeoutMs, () =>
      this.#onDone("timeout"),
    );
    this.#cancelCheck = () => {
      cancelDeadline();
      cancelProbe();
    };
  }

  #pause(delayMs: number): void {
    this.#cancelPause = this.#services.scheduler.after(delayMs, () => this.#services.queue.enter(this));
  }

  #onDone(outcome: CheckOutcome): void {
    this.#cancelCheck?.();
    this.#cancelCheck = undefined;
    this.#services.queue.leave();
    this.#services.onOutcome(outcome);
    // The outcome may have led to a change of the configuration that closed this session.
    if (this.#isClosed) return;
    const { intervalMs, noTrafficIntervalMs } = this.#settings;
    this.#pause(this.#services.hasTraffic() ? intervalMs : noTrafficIntervalMs);
  }
}
