// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TryOutcome } from "../../core/traffic/retry.ts";
import type { ErrorKind } from "../exchange/local-reply.ts";
import type { ResetReason } from "../transport/contract/reset.ts";

/** How a try ended, for the route's retry policy; undefined for a request that must not be sent again. */
export function tryOutcomeOf(reason: ResetReason): TryOutcome | undefined {
  switch (reason) {
    case "connection-failure":
      return { kind: "connect-failure" };
    case "remote-refused-stream":
      return { kind: "refused-stream" };
    // As in Envoy, an overflow is never retried: it would add load to a cluster that has too much.
    case "overflow":
    case "unsendable":
      return undefined;
    case "connection-termination":
    case "remote-reset":
    case "local-reset":
    case "protocol-error":
      return { kind: "reset" };
  }
}

/**
 * Whether a reset counts against the endpoint in outlier detection. As in Envoy, every reset does that the proxy
 * did not cause itself.
 */
export function isEndpointsFault(reason: ResetReason): boolean {
  switch (reason) {
    case "connection-failure":
    case "connection-termination":
    case "remote-reset":
    case "remote-refused-stream":
    case "protocol-error":
      return true;
    case "overflow":
    case "local-reset":
    case "unsendable":
      return false;
  }
}

/**
 * The local reply after the last try.
 *
 * @param service The upstream's name, for the client.
 */
export function errorReplyOf(
  reason: ResetReason,
  service: string,
): { readonly kind: ErrorKind; readonly detail: string } {
  switch (reason) {
    case "connection-failure":
      return { kind: "upstream_connect_failure", detail: `${service} could not be reached.` };
    case "overflow":
      return { kind: "upstream_overflow", detail: `${service} has too many requests waiting.` };
    case "connection-termination":
    case "remote-reset":
    case "remote-refused-stream":
    case "local-reset":
      return { kind: "upstream_reset", detail: `${service} closed the connection before it answered.` };
    case "protocol-error":
      return { kind: "upstream_protocol_error", detail: `${service} sent something that is not HTTP.` };
    case "unsendable":
      return { kind: "bad_request", detail: "The request cannot be sent on as it is." };
  }
}
