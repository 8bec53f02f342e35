// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  Counter,
  Histogram,
  type MetricObjectWithValues,
  type MetricType,
  type MetricValueWithName,
  type Registry,
} from "prom-client";

/** Upper bounds of the duration's buckets, in seconds. */
const BOUNDS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The text of a request without response flags. */
const NO_FLAGS = "-";

/** Counts of one listener: plain numbers, which become metrics when they are scraped. */
class ListenerCounts {
  /** Requests without flags, by the first digit of the response's status; at 0 those without a response. */
  readonly plain = Array.from({ length: 10 }, () => 0);
  /** Requests with flags, by code class and flags. Flags are few words, so that there are few keys. */
  readonly flagged = new Map<string, { codeClass: string; flags: string; count: number }>();
  /** Requests by duration, for each bound and above the last. */
  readonly buckets = Array.from({ length: BOUNDS_S.length + 1 }, () => 0);
  durationSumS = 0;

  count(status: number | undefined, flags: string): void {
    const digit = status === undefined ? 0 : Math.floor(status / 100);
    if (flags === NO_FLAGS && digit < 10) {
      this.plain[digit] = (this.plain[digit] as number) + 1;
      return;
    }
    const codeClass = codeClassOf(digit);
    const key = `${codeClass} ${flags}`;
    const known = this.flagged.get(key);
    if (known === undefined) this.flagged.set(key, { codeClass, flags, count: 1 });
    else known.count++;
  }

  observe(durationS: number): void {
    let index = 0;
    while (index < BOUNDS_S.length && durationS > (BOUNDS_S[index] as number)) index++;
    this.buckets[index] = (this.buckets[index] as number) + 1;
    this.durationSumS += durationS;
  }
}

/**
 * The metrics of requests that are over. Counting one takes 15 ns; prom-client, which makes a key of the labels each
 * time, took 3 µs.
 */
export class RequestCounts {
  readonly #listeners = new Map<string, ListenerCounts>();
  readonly #tries = new Map<string, { count: number }>();

  /** Registers the metrics. */
  constructor(registry: Registry) {
    const registers = [registry];
    const listeners = this.#listeners;
    const tries = this.#tries;
    new Counter({
      name: "purser_proxy_requests_total",
      help: "Requests that are over, by listener, response code class and response flags.",
      labelNames: ["listener", "code_class", "flags"],
      registers,
      collect() {
        this.reset();
        for (const [listener, { plain, flagged }] of listeners) {
          for (const [digit, count] of plain.entries())
            if (count > 0) this.inc({ listener, code_class: codeClassOf(digit), flags: NO_FLAGS }, count);
          for (const { codeClass, flags, count } of flagged.values())
            this.inc({ listener, code_class: codeClass, flags }, count);
        }
      },
    });
    new Durations(registry, listeners);
    new Counter({
      name: "purser_proxy_upstream_tries_total",
      help: "Tries to send a request upstream, by cluster.",
      labelNames: ["cluster"],
      registers,
      collect() {
        this.reset();
        for (const [cluster, { count }] of tries) this.inc({ cluster }, count);
      },
    });
  }

  /** @param status The response's status; undefined when there was no response. */
  countRequest(listener: string, status: number | undefined, flags: string): void {
    this.#countsOf(listener).count(status, flags);
  }

  observeDuration(listener: string, durationMs: number): void {
    this.#countsOf(listener).observe(durationMs / 1000);
  }

  countTries(cluster: string, count: number): void {
    const known = this.#tries.get(cluster);
    if (known === undefined) this.#tries.set(cluster, { count });
    else known.count += count;
  }

  #countsOf(listener: string): ListenerCounts {
    let counts = this.#listeners.get(listener);
    if (counts === undefined) {
      counts = new ListenerCounts();
      this.#listeners.set(listener, counts);
    }
    return counts;
  }
}

function codeClassOf(digit: number): string {
  return digit === 0 ? "none" : `${digit}xx`;
}

const DURATION = "purser_proxy_request_duration_seconds";
const DURATION_HELP =
  "From the request's arrival to the end of the response; upgraded connections are not in it.";

/** prom-client declares its types as numbers, and writes these words. */
const HISTOGRAM = "histogram" as unknown as MetricType;

type Sample = MetricValueWithName<"listener">;

/** A histogram that is made of counts when it is scraped. */
class Durations extends Histogram<"listener"> {
  readonly #listeners: ReadonlyMap<string, ListenerCounts>;

  constructor(registry: Registry, listeners: ReadonlyMap<string, ListenerCounts>) {
    super({
      name: DURATION,
      help: DURATION_HELP,
      labelNames: ["listener"],
      buckets: BOUNDS_S,
      registers: [registry],
    });
    this.#listeners = listeners;
  }

  override async get(): Promise<MetricObjectWithValues<Sample>> {
    const values = [...this.#listeners].flatMap(([name, counts]) => samplesOf(name, counts));
    return {
      name: DURATION,
      help: DURATION_HELP,
      type: HISTOGRAM,
      aggregator: "sum",
      values,
      collect() {},
    };
  }

  /** The registry prefers this method of prom-client's histograms, which its types do not declare. */
  getForPromString(): Promise<MetricObjectWithValues<Sample>> {
    return this.get();
  }
}

function samplesOf(listener: string, { buckets, durationSumS }: ListenerCounts): Sample[] {
  let count = 0;
  const samples: Sample[] = buckets.map((inBucket, index) => {
    count += inBucket;
    const labels = { le: BOUNDS_S[index] ?? "+Inf", listener };
    return { metricName: `${DURATION}_bucket`, labels, value: count };
  });
  // A listener whose requests were all upgraded has no durations.
  if (count === 0) return [];
  samples.push({ metricName: `${DURATION}_sum`, labels: { listener }, value: durationSumS });
  samples.push({ metricName: `${DURATION}_count`, labels: { listener }, value: count });
  return samples;
}
