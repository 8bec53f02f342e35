// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cluster } from "../../core/traffic/resources/cluster.ts";
import type { Clock } from "../../kernel/ports.ts";
import { type TimerOwner, type TimerWheel, WheelTimer } from "../../kernel/timer-wheel.ts";

/** Envoy's tcp_proxy.idle_timeout. */
const DEFAULT_IDLE_MS = 3_600_000;

/** Interval of the reports of an open connection, in which bytes moved: Mixer's report_interval. */
export const REPORT_INTERVAL_MS = 10_000;

/** Time that a connection is left whose listener's server is gone: Istio's terminationDrainDuration. */
const RETIRE_MS = 5_000;

/** Time that the last bytes are left to reach one side when the other has broken off: Envoy's delayed_close_timeout. */
const LINGER_MS = 1_000;

type TimerEvent = "connect" | "report" | "idle" | "duration" | "retire" | "linger";

/** The time limits of one connection, over one timer: bytes only note the time. */
export class TcpTimers implements TimerOwner {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #wheel: TimerWheel;
  readonly #onEvent: (event: TimerEvent) => void;
  readonly #timer = new WheelTimer(this);
  /** Monotonic times; an event without one is not awaited. */
  readonly #dueMs = new Map<TimerEvent, number>();
  #idleMs = 0;
  #activeMs = 0;
  #isStopped = false;

  constructor(
    services: { readonly clock: Pick<Clock, "monotonicMs">; readonly timers: TimerWheel },
    onEvent: (event: TimerEvent) => void,
  ) {
    this.#clock = services.clock;
    this.#wheel = services.timers;
    this.#onEvent = onEvent;
  }

  /** @param timeoutMs 0 for no limit. */
  awaitConnection(timeoutMs: number): void {
    if (timeoutMs > 0) this.#set("connect", timeoutMs);
  }

  /** The upstream is connected. */
  open({
    tcpIdleTimeoutMs = DEFAULT_IDLE_MS,
    maxConnectionDurationMs,
  }: Pick<Cluster, "tcpIdleTimeoutMs" | "maxConnectionDurationMs">): void {
    this.#dueMs.delete("connect");
    this.#idleMs = tcpIdleTimeoutMs;
    this.#set("report", REPORT_INTERVAL_MS);
    if (maxConnectionDurationMs > 0) this.#set("duration", maxConnectionDurationMs);
    if (tcpIdleTimeoutMs === 0) return;
    this.noteActivity();
    this.#set("idle", tcpIdleTimeoutMs);
  }

  noteActivity(): void {
    this.#activeMs = this.#clock.monotonicMs();
  }

  retire(): void {
    if (!this.#dueMs.has("retire")) this.#set("retire", RETIRE_MS);
  }

  linger(): void {
    if (!this.#dueMs.has("linger")) this.#set("linger", LINGER_MS);
  }

  /** Idempotent; no event follows. */
  stop(): void {
    this.#isStopped = true;
    this.#wheel.cancel(this.#timer);
  }

  onTimer(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [event, dueMs] of Array.from(this.#dueMs)) {
      if (this.#isStopped) return;
      if (dueMs > nowMs) continue;
      const idleUntilMs = this.#activeMs + this.#idleMs;
      if (event === "idle" && idleUntilMs > nowMs) this.#dueMs.set("idle", idleUntilMs);
      else {
        if (event === "report") this.#dueMs.set("report", nowMs + REPORT_INTERVAL_MS);
        else this.#dueMs.delete(event);
        this.#onEvent(event);
      }
    }
    this.#arm();
  }

  #set(event: TimerEvent, delayMs: number): void {
    this.#dueMs.set(event, this.#clock.monotonicMs() + delayMs);
    this.#arm();
  }

  #arm(): void {
    if (this.#isStopped || this.#dueMs.size === 0) return;
    this.#wheel.start(
      this.#timer,
      Math.max(0, Math.min(...this.#dueMs.values()) - this.#clock.monotonicMs()),
    );
  }
}
