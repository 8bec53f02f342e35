// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type TUnsafe } from "typebox";
import { MapOf } from "../../core/documents/kinds/map-of.ts";
import { LOCALITY_PATTERN, MAX_LOCALITY_LENGTH } from "../../core/traffic/locality.ts";
import {
  type KnownVersions,
  NOTHING_KNOWN,
  RESOURCE_TYPES,
} from "../../core/traffic/resources/resource-set.ts";
import type { ResourceSet, ResourceType, TrafficUpdate } from "../../core/traffic/resources/resource-set.ts";
import { PurserError } from "../../kernel/errors.ts";
import type { ProxyNode, Subscription } from "../pilot-service.ts";
import { invalidRequest } from "./faults.ts";
import { givenTwice, type QueryParameters, unknownParameter, WAIT_MS, waitMsOf } from "./query.ts";
import { createDecoder } from "./schema/decoder.ts";
import { exactly } from "./schema/exactly.ts";
import { closed, Text } from "./schema/fields.ts";
import {
  ClusterLoadAssignmentSchema,
  ClusterSchema,
  ListenerSchema,
  RouteTableSchema,
} from "./traffic-resources.ts";

/**
 * Pilot over HTTP: `GET /v1/proxy-config?node=JSON&clusters=V&endpoints=V&listeners=V&routes=V&waitMs=MS`, a
 * long poll.
 *
 * - `node`: a ProxyNode as JSON.
 * - `clusters`, `endpoints`, `listeners`, `routes`: one parameter for each watched type, with the proxy's
 *   version of it, or empty when it has none. Without all four, every type is watched and none is known.
 *   Pilot answers at once when it has another version of a watched type.
 * - `waitMs`: how long pilot may hold the request otherwise; default 0, at most MAX_POLL_WAIT_MS.
 *
 * 200 carries a TrafficUpdate as JSON: each changed type as a whole set. 304 has no body and means that every
 * version is current. Refusals are an ErrorBody: 400 (bad query), 414 (URL too long), 503 with Retry-After
 * (no documents yet, too many polls, shutting down).
 */
export const DISCOVERY_PATH = "/v1/proxy-config";

export interface DiscoveryRequest extends Subscription {
  /** In milliseconds. */
  readonly waitMs: number;
}

/** The path and query of the request. */
export function encodeDiscoveryRequest({ node, known, waitMs }: DiscoveryRequest): string {
  const versions = RESOURCE_TYPES.flatMap((type) => {
    const version = known[type];
    return version === undefined ? [] : [`${type}=${encodeURIComponent(version)}`];
  });
  const query = [`node=${encodeURIComponent(JSON.stringify(node))}`, ...versions, `waitMs=${waitMs}`];
  return `${DISCOVERY_PATH}?${query.join("&")}`;
}

/**
 * @param parameters The query's parameters, decoded.
 * @throws {PurserError} PURSER_REQUEST_INVALID, naming the parameter.
 */
export function decodeDiscoveryRequest(parameters: QueryParameters): DiscoveryRequest {
  const { node, waitMs: _, ...others } = parameters;
  if (typeof node !== "string") throw invalidRequest("the query parameter node is missing");
  const waitMs = waitMsOf(parameters);
  return { node: decodeNode(node), known: decodeVersions(others), waitMs };
}

function decodeVersions(parameters: QueryParameters): KnownVersions {
  const known: Partial<Record<ResourceType, string>> = {};
  for (const [name, version] of Object.entries(parameters)) {
    const type = RESOURCE_TYPES.find((each) => each === name);
    if (type === undefined) throw unknownParameter(name);
    if (typeof version !== "string") throw givenTwice(type);
    known[type] = version;
  }
  return Object.keys(known).length === 0 ? NOTHING_KNOWN : known;
}

const Port = Type.Integer({ minimum: 1, maximum: 65_535 });
/** 0 for any free port. */
const ListenPort = Type.Integer({ minimum: 0, maximum: 65_535 });
const Name = Type.String({ minLength: 1, maxLength: 253 });
const Locality = Type.String({ pattern: LOCALITY_PATTERN, maxLength: MAX_LOCALITY_LENGTH });

const ProxyNodeSchema = exactly<ProxyNode>()(
  Type.Union([
    closed({
      role: Type.Literal("edge"),
      id: Name,
      host: Name,
      port: ListenPort,
      trustedHops: Type.Integer({ minimum: 0, maximum: 100 }),
      locality: Type.Optional(Locality),
      namespace: Type.Optional(Name),
      mtls: Type.Optional(Type.Boolean()),
      labels: Type.Optional(MapOf(Text)),
    }),
    closed({
      role: Type.Literal("sidecar"),
      id: Name,
      host: Name,
      service: Name,
      namespace: Type.Optional(Name),
      labels: Type.Optional(MapOf(Text)),
      outboundPort: ListenPort,
      inbound: Type.Optional(closed({ port: ListenPort, appHost: Name, appPort: Port })),
      locality: Type.Optional(Locality),
      mtls: Type.Optional(Type.Boolean()),
    }),
  ]),
);

const decodeNodeObject = createDecoder(ProxyNodeSchema, (fault) =>
  invalidRequest(
    `the query parameter node does not describe an edge or a sidecar (api/pilot-service.ts, ProxyNode): ${fault}`,
  ),
);

function decodeNode(text: string): ProxyNode {
  let node: unknown;
  try {
    node = JSON.parse(text);
  } catch (cause) {
    throw invalidRequest("the query parameter node is not valid JSON", cause);
  }
  return decodeNodeObject(node);
}

const KNOWN = {
  schema: Text,
  description: "The version that the proxy has; empty for none. Without all four, every type is watched.",
};

/** The parameters of the query, for the description of the call. */
export const DISCOVERY_QUERY = {
  node: { schema: ProxyNodeSchema, description: "The proxy, as JSON.", required: true, json: true },
  clusters: KNOWN,
  endpoints: KNOWN,
  listeners: KNOWN,
  routes: KNOWN,
  waitMs: WAIT_MS,
};

function setOf<R extends { readonly name: string }>(resource: TUnsafe<R>) {
  return exactly<ResourceSet<R>>()(Type.Object({ version: Text, resources: Type.Array(resource) }));
}

const TrafficUpdateSchema = exactly<TrafficUpdate>()(
  Type.Object(
    {
      clusters: Type.Optional(setOf(ClusterSchema)),
      endpoints: Type.Optional(setOf(ClusterLoadAssignmentSchema)),
      listeners: Type.Optional(setOf(ListenerSchema)),
      routes: Type.Optional(setOf(RouteTableSchema)),
    },
    { minProperties: 1 },
  ),
);

/** @throws {PurserError} PURSER_PILOT_UNAVAILABLE, naming the field. */
export const decodeTrafficUpdate = createDecoder(
  TrafficUpdateSchema,
  (fault) =>
    new PurserError("PURSER_PILOT_UNAVAILABLE", `pilot's answer is not of the documented form: ${fault}`),
);
