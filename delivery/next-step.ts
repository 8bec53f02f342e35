// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isPurserError } from "../kernel/errors.ts";
import type { Batch } from "./batch.ts";

/** `retry`: the same batch after a pause; `halve`: two smaller batches at once; `drop`: never again. */
export type NextStep = "retry" | "halve" | "drop";

/** Maximum pause that a receiver may ask for, so that a wrong value cannot stop telemetry for good. */
const MAX_RETRY_AFTER_MS = 60_000;

/** Timeouts after which a batch that is larger than `batchSize` is halved: the receiver may be too slow for it. */
const TIMEOUTS_OF_LARGE = 2;

/**
 * @param attempts Maximum number of tries of one batch.
 * @param batchSize Size that no batch is too large for by a timeout.
 */
export function nextStep(
  error: unknown,
  { attempts: tries, items }: Batch<unknown>,
  { attempts, batchSize }: { readonly attempts: number; readonly batchSize: number },
): NextStep {
  if (!isPurserError(error)) return "drop";
  const { code, retryable } = error;
  if (code === "PURSER_REQUEST_TOO_LARGE" && items.length > 1) return "halve";
  if (!retryable) return "drop";
  const isLarge = items.length > batchSize;
  if (isLarge && code === "PURSER_HANDLER_TIMEOUT" && tries >= Math.min(TIMEOUTS_OF_LARGE, attempts))
    return "halve";
  return tries < attempts ? "retry" : "drop";
}

/** The pause in the error's detail `retryAfterMs`, at most a minute; 0 when it has none. */
export function retryAfterMs(error: unknown): number {
  const askedMs = isPurserError(error) ? error.details["retryAfterMs"] : undefined;
  return typeof askedMs === "number" && askedMs > 0 ? Math.min(askedMs, MAX_RETRY_AFTER_MS) : 0;
}
