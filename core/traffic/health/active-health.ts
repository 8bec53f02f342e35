// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HealthCheck } from "../resources/health-check.ts";

/** The outcome of one check; the words are those of metrics. */
export const CHECK_OUTCOMES = ["success", "failure", "network_failure", "timeout"] as const;

/**
 * `failure`: the endpoint answered, and its answer says that it is unhealthy. `network_failure`: no complete
 * answer came. `timeout`: none came in time.
 */
export type CheckOutcome = (typeof CHECK_OUTCOMES)[number];

export type HealthThresholds = Pick<HealthCheck, "healthyThreshold" | "unhealthyThreshold">;

/**
 * The health of one endpoint by its checks, with Envoy's rules
 * (source/extensions/health_checkers/common/health_checker_base_impl.cc): the first check decides at once; a
 * `failure` makes the endpoint unhealthy at once; other failures do so after `unhealthyThreshold` in a row;
 * an unhealthy endpoint is healthy after `healthyThreshold` successes in a row.
 */
export class ActiveHealth {
  /** May be replaced at any time; the state and the counts stay. */
  thresholds: HealthThresholds;
  #state: "unchecked" | "healthy" | "unhealthy" = "unchecked";
  #successes = 0;
  #failures = 0;

  constructor(thresholds: HealthThresholds) {
    this.thresholds = thresholds;
  }

  /** `unchecked` until the first outcome. */
  get state(): "unchecked" | "healthy" | "unhealthy" {
    return this.#state;
  }

  /** Counts an outcome. Returns whether the state has changed. */
  onOutcome(outcome: CheckOutcome): boolean {
    const before = this.#state;
    if (outcome === "success") this.#onSuccess();
    else this.#onFailure(outcome);
    return this.#state !== before;
  }

  #onSuccess(): void {
    this.#failures = 0;
    if (this.#state === "healthy") return;
    this.#successes++;
    if (this.#state === "unchecked" || this.#successes >= this.thresholds.healthyThreshold) {
      this.#state = "healthy";
      this.#successes = 0;
    }
  }

  #onFailure(outcome: Exclude<CheckOutcome, "success">): void {
    this.#successes = 0;
    if (this.#state === "unhealthy") return;
    this.#failures++;
    if (
      this.#state === "unchecked" ||
      outcome === "failure" ||
      this.#failures >= this.thresholds.unhealthyThreshold
    ) {
      this.#state = "unhealthy";
      this.#failures = 0;
    }
  }
}
