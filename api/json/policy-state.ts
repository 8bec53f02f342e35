// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import { ACCESS_POLICY } from "../../core/documents/kinds/access-policy.ts";
import { RULE } from "../../core/documents/kinds/handler.ts";
import { QUOTA_POLICY } from "../../core/documents/kinds/quota-policy.ts";
import type { PolicyDocument } from "../../core/snapshot/policy-document.ts";
import type { PolicyState } from "../mixer-service.ts";
import { invalidReply, invalidRequest } from "./faults.ts";
import {
  givenTwice,
  type QueryParameters,
  unknownParameter,
  WAIT_MS,
  waitMsOf,
  wholeNumber,
} from "./query.ts";
import { createDecoder } from "./schema/decoder.ts";
import { exactly } from "./schema/exactly.ts";
import { opened } from "./schema/opened.ts";
import { Amount, Identifier, Text } from "./schema/fields.ts";

/**
 * `GET ?node=ID&version=V&proxies=N&waitMs=MS`, a long poll: 200 with a PolicyState, or 304 when the proxy
 * has the newest. `version` and `proxies` are the proxy's values; absent when it has none. `waitMs`: default
 * 0, at most MAX_POLL_WAIT_MS.
 */
export const POLICY_STATE_PATH = "/v1/policy-state";

export interface PolicyStateQuery {
  readonly node: string;
  readonly version?: string;
  readonly proxies?: number;
  readonly waitMs: number;
}

/** The parameters of the query, for the description of the call. */
export const POLICY_STATE_QUERY = {
  node: { schema: Identifier, description: "The proxy's id.", required: true },
  version: { schema: Text, description: "The version that the proxy has." },
  proxies: {
    schema: Type.Integer({ minimum: 0, maximum: 999_999_999 }),
    description: "The number of proxies that the proxy has.",
  },
  waitMs: WAIT_MS,
};

/** The path and query of the request. */
export function encodePolicyStateQuery({ node, version, proxies, waitMs }: PolicyStateQuery): string {
  const query = new Map<string, string | number>([["node", node]]);
  if (version !== undefined) query.set("version", version);
  if (proxies !== undefined) query.set("proxies", proxies);
  query.set("waitMs", waitMs);
  const parts = [...query].map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `${POLICY_STATE_PATH}?${parts.join("&")}`;
}

/**
 * @param parameters The query's parameters, decoded.
 * @throws {PurserError} PURSER_REQUEST_INVALID, naming the parameter.
 */
export function decodePolicyStateQuery(parameters: QueryParameters): PolicyStateQuery {
  const { node, version, proxies, waitMs: _, ...others } = parameters;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw unknownParameter(unknown);
  if (typeof node !== "string" || node === "" || node.length > 512) {
    throw invalidRequest("the query parameter node must be the proxy's id, given once");
  }
  if (version !== undefined && typeof version !== "string") throw givenTwice("version");
  return {
    node,
    waitMs: waitMsOf(parameters),
    ...(version === undefined ? {} : { version }),
    ...(proxies === undefined ? {} : { proxies: wholeNumber("proxies", proxies) }),
  };
}

const WRITTEN = { name: Text, authorization: Type.Optional(Type.Literal(true)) };

// Fields that only a newer mixer's documents have are ignored.
const PolicyDocumentSchema = exactly<PolicyDocument>()(
  Type.Union([
    Type.Object({ kind: Type.Literal("AccessPolicy"), ...WRITTEN, spec: opened(ACCESS_POLICY.spec) }),
    Type.Object({ kind: Type.Literal("QuotaPolicy"), ...WRITTEN, spec: opened(QUOTA_POLICY.spec) }),
    Type.Object({ kind: Type.Literal("Rule"), ...WRITTEN, spec: opened(RULE.spec) }),
  ]),
);

const PolicyStateSchema = exactly<PolicyState>()(
  Type.Object({ version: Text, proxies: Amount, policies: Type.Array(PolicyDocumentSchema) }),
);

/** @throws {PurserError} PURSER_MIXER_UNAVAILABLE, naming the field. */
export const decodePolicyState = createDecoder(PolicyStateSchema, (fault) =>
  invalidReply("a poll for the policies", fault),
);
