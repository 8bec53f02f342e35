// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

const TIMEOUT = /(?:^|[\s,])timeout\s*=\s*"?(\d{1,7})/i;

/** Time by which this side closes an idle connection before the upstream does, so that no request meets its FIN. */
const MARGIN_MS = 1_000;

/**
 * The time without a request for which a connection can be used, from a response's `Keep-Alive: timeout=N` (N in
 * seconds, RFC 2068, section 19.7.1.1): N seconds less a margin of one; 0 for an N below 2. Infinity without the
 * field.
 */
export function keepAliveMsOf(field: string | undefined): number {
  if (field === undefined) return Infinity;
  const seconds = TIMEOUT.exec(field)?.[1];
  return seconds === undefined ? Infinity : Math.max(0, Number(seconds) * 1_000 - MARGIN_MS);
}
