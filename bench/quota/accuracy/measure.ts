// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { boundPerWindow } from "./bound.ts";
import { type Row, SPREADS } from "./cells.ts";
import { overAdmitted } from "./central-counter.ts";
import { runTraffic } from "./run-traffic.ts";

/** The figures of one spread of a row's demand. Amounts are those of an average window. */
export interface Cell {
  readonly admitted: number;
  /** Amount that a central counter allows beyond `admitted`; below 0 when requests moved into the measured windows. */
  readonly under: number;
  /** The most that `under` may be; see bound.ts. */
  readonly bound: number;
  /** The most by which any window, or any interval of a token bucket, exceeded its limit: the promise is 0. */
  readonly over: number;
  /** Requests of the run with neither an admission nor a refusal. */
  readonly failed: number;
  /** Calls of the proxies to the mixer. */
  readonly calls: number;
}

export interface MeasuredRow extends Row {
  /** Amount that a central counter allows in an average window. */
  readonly allowed: number;
  /** By the heading of the spread. */
  readonly cells: Readonly<Record<string, Cell>>;
}

export interface Accuracy {
  readonly rows: readonly MeasuredRow[];
}

/** Measures all cells of the rows, one after another. */
export async function measureAccuracy(wanted: readonly Row[], at: (what: string) => void): Promise<Accuracy> {
  const rows: MeasuredRow[] = [];
  for (const row of wanted) {
    at(`accuracy: row ${rows.length + 1} of ${wanted.length}`);
    rows.push(await measureRow(row));
  }
  return { rows };
}

export async function measureRow(row: Row): Promise<MeasuredRow> {
  const cells: Record<string, Cell> = {};
  let allowed = 0;
  for (const [heading, shares] of Object.entries(SPREADS)) {
    const traffic = { ...row, shares };
    const run = await runTraffic(traffic, row.windows);
    allowed = run.allowed / row.windows;
    cells[heading] = {
      admitted: rounded(run.admitted / row.windows),
      under: rounded((run.allowed - run.admitted) / row.windows),
      bound: rounded(boundPerWindow(traffic, run, row.windows)),
      over: overAdmitted(traffic, run.usesMs),
      failed: run.failed,
      calls: rounded(run.calls / row.windows),
    };
  }
  return { ...row, allowed: rounded(allowed), cells };
}

/** Whether a cell breaks its promise. */
export function isBroken({ over, failed, under, bound }: Cell): boolean {
  return over > 0 || failed > 0 || under > bound;
}

function rounded(amount: number): number {
  return Math.round(amount * 10) / 10;
}
