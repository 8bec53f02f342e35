// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type ExposedFamily, type ExposedSeries, sampleCount } from "../../../core/exposition/family.ts";
import type { ExpositionFormat } from "../../../core/exposition/formats.ts";
import { joinExpositions } from "../../../core/exposition/join-expositions.ts";
import { pageOf } from "../../../core/exposition/page.ts";
import { parseText } from "../../../core/exposition/parse-text.ts";
import { messageOf } from "../../../kernel/errors.ts";
import type { Clock, Logger } from "../../../kernel/ports.ts";
import type { Handler } from "../handlers/handler.ts";
import type { HandlerTable } from "../handlers/handler-table.ts";
import type { MixerMetrics } from "./mixer-metrics.ts";
import { Pacer } from "./pacer.ts";

/** How long a scrape waits for queued telemetry, so that it shows the requests before it. */
const FLUSH_MS = 100;

/** Families that a log line names. */
const MAX_FAMILIES_LOGGED = 10;

/** A page of metrics, in parts. */
export type ExpositionPage = AsyncIterable<string | Uint8Array>;

/** The metrics of the mixer and of its handlers, as one page. */
export class ExpositionCollector {
  readonly #metrics: MixerMetrics;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #toldOf = new WeakSet<Handler>();

  constructor(metrics: MixerMetrics, clock: Clock, logger: Logger) {
    this.#metrics = metrics;
    this.#clock = clock;
    this.#logger = logger;
  }

  /**
   * The mixer's own metrics, then each handler's. A handler whose exposition fails is left out and logged;
   * series that an earlier source has are left out, counted, and logged once for each handler.
   *
   * The page is written as it is read, and no step holds the event loop for more than some milliseconds.
   */
  async collect(table: HandlerTable, format: ExpositionFormat): Promise<ExpositionPage> {
    const handlers = [...table.entries.values()].map(({ handler }) => handler);
    const pacer = new Pacer(this.#clock);
    const given = await Promise.all(handlers.map((handler) => this.#ask(handler)));
    const sources = [{ source: "", families: await this.#ownFamilies(pacer) }];
    for (const [index, { name }] of handlers.entries())
      sources.push({ source: name, families: await this.#familiesIn(name, given[index] ?? "", pacer) });
    return this.#write(handlers, sources, format, pacer);
  }

  async *#write(
    handlers: readonly Handler[],
    sources: readonly { readonly source: string; readonly families: readonly ExposedFamily[] }[],
    format: ExpositionFormat,
    pacer: Pacer,
  ): AsyncGenerator<string | Uint8Array> {
    const missing = new Map<string, Set<string>>();
    const leaveOut = (source: string, family: string, samples: number): void => {
      if (samples === 0) return;
      this.#metrics.expositionLeftOut(source, samples);
      const families = missing.get(source) ?? new Set();
      missing.set(source, families.add(family));
    };
    const { families, leftOut } = joinExpositions(sources, leaveOut);
    for (const part of pageOf(families, format)) {
      if (part !== undefined && part.length > 0) yield part;
      if (pacer.isDue) await pacer.rest();
    }
    for (const { source, family } of leftOut) {
      for (const series of family.series) {
        leaveOut(source, family.name, sampleCount(series));
        if (pacer.isDue) await pacer.rest();
      }
    }
    for (const handler of handlers) this.#tellOf(handler, missing.get(handler.name));
  }

  #tellOf(handler: Handler, families: ReadonlySet<string> | undefined): void {
    if (families === undefined || this.#toldOf.has(handler)) return;
    this.#toldOf.add(handler);
    this.#logger.warn("series are left out of the exposition: an earlier handler has the same", {
      handler: handler.name,
      families: [...families].slice(0, MAX_FAMILIES_LOGGED),
    });
  }

  /** prom-client writes one metric at a time, each at once. */
  async #ownFamilies(pacer: Pacer): Promise<readonly ExposedFamily[]> {
    const { registry } = this.#metrics;
    const families: ExposedFamily[] = [];
    for (const { name } of registry.getMetricsAsArray()) {
      const text = await registry.getSingleMetricAsString(name);
      families.push(...(await this.#familiesIn("", text, pacer)));
    }
    return families;
  }

  async #familiesIn(
    source: string,
    given: string | Iterable<ExposedFamily>,
    pacer: Pacer,
  ): Promise<readonly ExposedFamily[]> {
    if (typeof given !== "string") return [...given].map((family) => this.#guarded(source, family));
    const steps = parseText(given);
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done !== true) {
        if (pacer.isDue) await pacer.rest();
        continue;
      }
      const { families, unreadable } = step.value;
      if (unreadable > 0) this.#metrics.expositionLeftOut(source, unreadable);
      return families;
    }
  }

  /** The family without the series after a failure: the page has begun, and no status can tell of it. */
  #guarded(source: string, family: ExposedFamily): ExposedFamily {
    const logger = this.#logger;
    const guarded = function* (): Generator<ExposedSeries> {
      try {
        yield* family.series;
      } catch (error) {
        logger.warn("some of a handler's series are missing from the exposition", {
          handler: source,
          family: family.name,
          error: messageOf(error),
        });
      }
    };
    return { ...family, series: { [Symbol.iterator]: guarded } };
  }

  async #ask(handler: Handler): Promise<string | Iterable<ExposedFamily>> {
    const { built } = handler;
    if (built.kind === "plugin" || built.handler.exposition === undefined) return "";
    await Promise.all([...handler.deliveries.values()].map((delivery) => delivery.flush(FLUSH_MS)));
    try {
      return await handler.call(() => built.handler.exposition?.() ?? "");
    } catch (error) {
      this.#logger.warn("a handler's metrics are missing from the exposition", { error: messageOf(error) });
      return "";
    }
  }
}
