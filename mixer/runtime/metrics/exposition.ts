// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { messageOf } from "../../../kernel/errors.ts";
import type { Logger } from "../../../kernel/ports.ts";
import type { Handler } from "../handlers/handler.ts";
import type { HandlerTable } from "../handlers/handler-table.ts";
import { joinExpositions } from "./join-expositions.ts";
import type { MixerMetrics } from "./mixer-metrics.ts";

/** How long a scrape waits for queued telemetry, so that it shows the requests before it. */
const FLUSH_MS = 100;

/** The metrics of the mixer and of its handlers, as one text. */
export class ExpositionCollector {
  readonly #metrics: MixerMetrics;
  readonly #logger: Logger;
  readonly #toldOf = new WeakSet<Handler>();

  constructor(metrics: MixerMetrics, logger: Logger) {
    this.#metrics = metrics;
    this.#logger = logger;
  }

  /**
   * The mixer's own metrics, then each handler's. A handler whose exposition fails is left out and logged;
   * series that an earlier source has are left out, counted, and logged once for each handler.
   */
  async collect(table: HandlerTable): Promise<string> {
    const handlers = [...table.entries.values()].map(({ handler }) => handler);
    const [own, ...others] = await Promise.all([
      this.#metrics.registry.metrics(),
      ...handlers.map((handler) => this.#textOf(handler)),
    ]);
    const { text, leftOut } = joinExpositions([
      { source: "", text: own },
      ...handlers.map(({ name }, index) => ({ source: name, text: others[index] as string })),
    ]);
    for (const { source, samples } of leftOut) this.#metrics.expositionLeftOut(source, samples);
    for (const handler of handlers) {
      const families = leftOut.flatMap(({ source, family }) => (source === handler.name ? [family] : []));
      if (families.length > 0 && !this.#toldOf.has(handler)) {
        this.#toldOf.add(handler);
        this.#logger.warn("series are left out of the exposition: an earlier handler has the same", {
          handler: handler.name,
          families: families.slice(0, 10),
        });
      }
    }
    return text;
  }

  async #textOf(handler: Handler): Promise<string> {
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
