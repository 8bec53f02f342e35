// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, Logger } from "../../kernel/ports.ts";
import type { TlsFault, TlsFaultReason } from "../transport/tls/client/tls-fault.ts";

/** Time between two lines about one cluster and reason. */
const LOG_INTERVAL_MS = 60_000;

interface Tally {
  count: number;
  /** Faults since the last line. */
  unlogged: number;
  /** Monotonic time of the last line. */
  loggedMs: number;
}

/** The secure connections of a cluster that did not open, by reason. The first fault in a minute is logged. */
export class TlsFaults {
  readonly #tallies = new Map<TlsFaultReason, Tally>();

  /** Number of faults by reason. */
  get counts(): Iterable<readonly [reason: TlsFaultReason, count: number]> {
    return [...this.#tallies].map(([reason, { count }]) => [reason, count] as const);
  }

  /**
   * @param place The cluster and the endpoint, for the log.
   */
  note(
    { reason, error }: TlsFault,
    place: { readonly cluster: string; readonly endpoint: string },
    { logger, clock }: { readonly logger: Logger; readonly clock: Pick<Clock, "monotonicMs"> },
  ): void {
    let tally = this.#tallies.get(reason);
    if (tally === undefined) {
      tally = { count: 0, unlogged: 0, loggedMs: Number.NEGATIVE_INFINITY };
      this.#tallies.set(reason, tally);
    }
    tally.count++;
    const nowMs = clock.monotonicMs();
    if (nowMs - tally.loggedMs < LOG_INTERVAL_MS) {
      tally.unlogged++;
      return;
    }
    const { unlogged } = tally;
    tally.unlogged = 0;
    tally.loggedMs = nowMs;
    logger.warn("a secure connection to an endpoint could not be opened", {
      ...place,
      reason,
      error: error.message,
      ...(unlogged === 0 ? {} : { faultsWithoutLine: unlogged }),
    });
  }
}
