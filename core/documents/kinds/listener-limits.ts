// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { parseDurationMs } from "../../../kernel/duration.ts";
import { DEFAULT_LISTENER_LIMITS } from "../../traffic/listener-limits.ts";
import type { ListenerLimits } from "../../traffic/resources/listener.ts";
import { Closed, Duration } from "./fields.ts";

/** A proxy checks its time limits several times within the shortest of them, over all connections. */
const MIN_TIMEOUT_MS = 100;

/** A proxy without any request uses some 90 MB: with less than this, it would refuse every connection. */
const MIN_MEMORY_LIMIT_BYTES = 128 * 1024 * 1024;

export const LimitsSpec = Closed(
  {
    maxConnections: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000_000,
        description: "Most connections to one listener; further ones are closed at once; default 10000.",
      }),
    ),
    maxHeaderBytes: Type.Optional(
      Type.Integer({
        minimum: 1_024,
        maximum: 1_048_576,
        description:
          "Largest head of a request: its request line and headers; a larger one gets 431; default 61440 (60 KiB).",
      }),
    ),
    headersTimeout: Type.Optional(
      Duration(
        "Longest time from a request's first byte, or from the connection's start, to the end of its head; then 408; default 10s.",
      ),
    ),
    handshakeTimeout: Type.Optional(
      Duration(
        "Longest time from a connection's start to the end of its TLS handshake; then it is closed; default 10s.",
      ),
    ),
    maxHandshakes: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description:
          "Most TLS handshakes under way at one listener; then the oldest connection that has sent nothing of its handshake is closed, else the new one; default 1000.",
      }),
    ),
    requestTimeout: Type.Optional(
      Duration("Longest time from the end of a request's head to the end of its body; default 0s: no limit."),
    ),
    connectionIdleTimeout: Type.Optional(
      Duration("Time without a request after which a connection is closed; default 1h."),
    ),
    streamIdleTimeout: Type.Optional(
      Duration(
        "Time after which a request or an upgraded connection without a byte in either direction is ended; default 5m.",
      ),
    ),
    drainGrace: Type.Optional(
      Duration("Time that a drain leaves connections without a request before it closes them; default 1s."),
    ),
    memoryLimitBytes: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description:
          "Memory of each process of a proxy; near it, connections are closed after their response (95 %) and new ones are refused " +
          "(98 %); at least 134217728 (128 MiB); default 0: the container's limit, if there is one.",
      }),
    ),
  },
  { description: "Limits on the clients of every proxy's listeners." },
);

export type LimitsSpec = Static<typeof LimitsSpec>;

/** The limits of the MeshConfig, with the defaults for the others. */
export function listenerLimitsOf(spec: LimitsSpec = {}): ListenerLimits {
  const none = DEFAULT_LISTENER_LIMITS;
  const milliseconds = (text: string | undefined, defaultMs: number): number =>
    text === undefined ? defaultMs : (parseDurationMs(text) ?? defaultMs);
  return {
    maxConnections: spec.maxConnections ?? none.maxConnections,
    maxHeaderBytes: spec.maxHeaderBytes ?? none.maxHeaderBytes,
    headersTimeoutMs: milliseconds(spec.headersTimeout, none.headersTimeoutMs),
    handshakeTimeoutMs: milliseconds(spec.handshakeTimeout, none.handshakeTimeoutMs),
    maxHandshakes: spec.maxHandshakes ?? none.maxHandshakes,
    requestTimeoutMs: milliseconds(spec.requestTimeout, none.requestTimeoutMs),
    connectionIdleMs: milliseconds(spec.connectionIdleTimeout, none.connectionIdleMs),
    streamIdleMs: milliseconds(spec.streamIdleTimeout, none.streamIdleMs),
    drainGraceMs: milliseconds(spec.drainGrace, none.drainGraceMs),
    memoryLimitBytes: spec.memoryLimitBytes ?? none.memoryLimitBytes,
  };
}

/** Times that may be 0s: no limit, or no grace. */
const MAY_BE_ZERO = ["requestTimeout", "drainGrace"] as const;
const NEVER_ZERO = [
  "headersTimeout",
  "handshakeTimeout",
  "connectionIdleTimeout",
  "streamIdleTimeout",
] as const;

/** @returns The faults, with paths inside the MeshConfig's `spec`. */
export function faultsOfLimits(spec: LimitsSpec): readonly SpecFault[] {
  const faults: SpecFault[] = [];
  const refuse = (field: keyof LimitsSpec, rule: string): void => {
    faults.push({ path: ["limits", field], message: `spec.limits.${field} ${rule}` });
  };
  const isTooShort = (field: (typeof MAY_BE_ZERO | typeof NEVER_ZERO)[number]): boolean => {
    const text = spec[field];
    return text !== undefined && (parseDurationMs(text) ?? 0) < MIN_TIMEOUT_MS;
  };
  for (const field of NEVER_ZERO)
    if (isTooShort(field)) refuse(field, `must be at least ${MIN_TIMEOUT_MS}ms`);
  for (const field of MAY_BE_ZERO)
    if (isTooShort(field) && parseDurationMs(spec[field] ?? "") !== 0)
      refuse(field, `must be 0s or at least ${MIN_TIMEOUT_MS}ms`);
  const { memoryLimitBytes = 0 } = spec;
  if (memoryLimitBytes > 0 && memoryLimitBytes < MIN_MEMORY_LIMIT_BYTES)
    refuse("memoryLimitBytes", `must be 0 or at least ${MIN_MEMORY_LIMIT_BYTES} (128 MiB)`);
  return faults;
}
