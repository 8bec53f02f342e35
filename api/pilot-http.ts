// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import Value from "typebox/value";
import { PurserError } from "../kernel/errors.ts";
import type { ProxyNode } from "./pilot.ts";

/**
 * Pilot over HTTP: `GET /v1/proxy-config?node=JSON&version=V&waitMs=MS`, a long poll.
 *
 * - `node`: a ProxyNode as JSON.
 * - `version`: what the proxy has; absent when it has nothing. When pilot's differs, it answers at once.
 * - `waitMs`: how long pilot may hold the request otherwise; default 0, at most MAX_POLL_WAIT_MS.
 *
 * 200 carries a ProxyConfig as JSON; 304 has no body and says that `version` is still right. Refusals are an ErrorBody: 400
 * (bad query), 414 (URL too long), 503 with Retry-After (no configuration yet, too many polls, shutting down).
 */
export const PROXY_CONFIG_PATH = "/v1/proxy-config";

export const MAX_POLL_WAIT_MS = 30_000;

export interface ProxyConfigQuery {
  readonly node: ProxyNode;
  readonly version?: string;
  readonly waitMs?: number;
}

/** The path and query to ask with. */
export function encodeProxyConfigQuery({ node, version, waitMs }: ProxyConfigQuery): string {
  const parts = [`node=${encodeURIComponent(JSON.stringify(node))}`];
  if (version !== undefined) parts.push(`version=${encodeURIComponent(version)}`);
  if (waitMs !== undefined) parts.push(`waitMs=${waitMs}`);
  return `${PROXY_CONFIG_PATH}?${parts.join("&")}`;
}

/**
 * @param parameters The query's parameters, decoded.
 * @throws {PurserError} PURSER_REQUEST_INVALID, naming the parameter.
 */
export function decodeProxyConfigQuery(
  parameters: Readonly<Record<string, string | readonly string[] | undefined>>,
): Required<Omit<ProxyConfigQuery, "version">> & Pick<ProxyConfigQuery, "version"> {
  const { node, version, waitMs = "0", ...others } = parameters;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalid(`there is no query parameter ${JSON.stringify(unknown)}`);
  if (typeof node !== "string") throw invalid("the query parameter node is missing");
  if (typeof waitMs !== "string" || !/^[0-9]{1,9}$/.test(waitMs))
    throw invalid("the query parameter waitMs is not a whole number of milliseconds");
  if (version !== undefined && typeof version !== "string")
    throw invalid("the query parameter version is given twice");
  return {
    node: decodeNode(node),
    waitMs: Math.min(Number(waitMs), MAX_POLL_WAIT_MS),
    ...(version === undefined ? {} : { version }),
  };
}

const Port = Type.Integer({ minimum: 1, maximum: 65_535 });
/** 0 for any free one. */
const ListenPort = Type.Integer({ minimum: 0, maximum: 65_535 });
const Text = Type.String({ minLength: 1, maxLength: 253 });

const ProxyNodeSchema = Type.Union([
  Type.Object(
    {
      role: Type.Literal("edge"),
      id: Text,
      host: Text,
      port: ListenPort,
      trustedHops: Type.Integer({ minimum: 0, maximum: 100 }),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      role: Type.Literal("sidecar"),
      id: Text,
      host: Text,
      service: Text,
      outboundPort: ListenPort,
      inbound: Type.Optional(
        Type.Object({ port: ListenPort, appHost: Text, appPort: Port }, { additionalProperties: false }),
      ),
    },
    { additionalProperties: false },
  ),
]);

function decodeNode(text: string): ProxyNode {
  let node: unknown;
  try {
    node = JSON.parse(text);
  } catch (cause) {
    throw invalid("the query parameter node is not valid JSON", cause);
  }
  if (!Value.Check(ProxyNodeSchema, node)) {
    throw invalid(
      "the query parameter node does not describe an edge or a sidecar (api/pilot.ts, ProxyNode)",
    );
  }
  return node;
}

function invalid(message: string, cause?: unknown): PurserError {
  return new PurserError("PURSER_REQUEST_INVALID", message, { cause });
}
