// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isPurserError } from "../kernel/errors.ts";
import type { Batch } from "./batch.ts";

/** `retry`: the same batch after a pause; `halve`: two smaller batches at once; `drop`: never again. */
export type NextStep = "retry" | "halve" | "drop";

/** Maximum pause that a receiver may ask for, so that a wrong value cannot stop telemetry for good. */
const MAX_RETRY_AFTER_MS = 60_000;

/** @param maxAttempts Maximum number of tries of one batch. */
export function nextStep(error: unknown, { attempts, items }: Batch<unknown>, maxAttempts: number): NextStep {
  if (!isPurserError(error)) return "drop";
  if (error.code === "PURSER_REQUEST_TOO_LARGE" && items.length > 1) return "halve";
  return error.retryable && attempts < maxAttempts ? "retry" : "drop";
}

/** The pause in the error's detail `retryAfterMs`, at most a minute; 0 when it has none. */
export function retryAfterMs(error: unknown): number {
  const askedMs = isPurserError(error) ? error.details["retryAfterMs"] : undefined;
  return typeof askedMs === "number" && askedMs > 0 ? Math.min(askedMs, MAX_RETRY_AFTER_MS) : 0;
}
