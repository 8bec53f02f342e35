// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Files } from "../../../core/hooks/extension.ts";
import type { Runtime } from "../../../kernel/ports.ts";
import type { MixerMetrics } from "../metrics/mixer-metrics.ts";

/** The ports that handlers and the mixer's own parts are given. */
export interface HandlerHost extends Runtime {
  /** Files as a document names them: relative to `documentFile`, the document's own file. */
  readonly files: (documentFile: string) => Files;
  readonly metrics: MixerMetrics;
}
