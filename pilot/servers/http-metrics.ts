// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, Gauge, Registry } from "prom-client";
import { addProcessMetrics } from "../../server/process-metrics.ts";
import type { LongPolls } from "../../server/http/long-polls.ts";
import type { Pilot } from "../pilot.ts";

export interface PilotMetrics {
  /** In Prometheus' text format. */
  readonly registry: Registry;
  /** Counts a response of the HTTP API. */
  answered(status: number): void;
}

/** Pilot's own series, read from pilot at each scrape. */
export function createPilotMetrics(pilot: Pilot, polls: LongPolls): PilotMetrics {
  const registry = new Registry();
  const registers = [registry];
  addProcessMetrics(registry);
  new Gauge({
    name: "purser_pilot_watchers",
    help: "Who is told of changes now: held polls, and proxies in this process.",
    registers,
    collect() {
      this.set(pilot.watcherCount);
    },
  });
  new Gauge({
    name: "purser_pilot_polls_held",
    help: "Requests that wait for a change of configuration now.",
    registers,
    collect() {
      this.set(polls.heldCount);
    },
  });
  new Counter({
    name: "purser_pilot_updates_total",
    help: "Sets of documents taken into force.",
    registers,
    collect() {
      this.reset();
      this.inc(pilot.updateCount);
    },
  });
  new Gauge({
    name: "purser_pilot_config_info",
    help: "1 for the version of the documents in force.",
    labelNames: ["version"],
    registers,
    collect() {
      this.reset();
      if (pilot.current !== undefined) this.set({ version: pilot.current.version }, 1);
    },
  });
  new Gauge({
    name: "purser_pilot_config_stale",
    help: "1 while the newest documents are refused and older ones go on.",
    registers,
    collect() {
      this.set(pilot.rejection === undefined ? 0 : 1);
    },
  });
  new Gauge({
    name: "purser_pilot_mtls_step",
    help: "Step of a change of mutual TLS: 1 while servers begin to accept the new way, 2 while callers change to it, else 0.",
    registers,
    collect() {
      this.set(["none", "open", "switch"].indexOf(pilot.peerTls.step));
    },
  });
  new Counter({
    name: "purser_pilot_mtls_grace_ends_total",
    help: "Steps of changes of mutual TLS that ended with proxies that had not answered.",
    registers,
    collect() {
      this.reset();
      this.inc(pilot.peerTls.graceEndsTotal);
    },
  });
  const answers = new Counter({
    name: "purser_pilot_http_answers_total",
    help: "Answers of the HTTP API by status.",
    labelNames: ["status"],
    registers,
  });
  return { registry, answered: (status) => answers.inc({ status: String(status) }) };
}
