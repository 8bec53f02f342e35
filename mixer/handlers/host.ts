// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Files } from "../../core/hooks/extension.ts";
import type { Clock, Logger, Random, Scheduler } from "../../kernel/ports.ts";
import type { MixerMetrics } from "../metrics/mixer-metrics.ts";

/** What the mixer's own parts, and through them the handlers, are given of the world. */
export interface Host {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Files as a document names them: relative to `documentFile`, the document's own file. */
  readonly files: (documentFile: string) => Files;
  readonly metrics: MixerMetrics;
}
