// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { MapOf } from "./map-of.ts";
import { FORM_KEYWORD } from "../schema/form.ts";
import { Choice, Closed } from "./fields.ts";

/** Field types that Istio's kinds share. */

/** A label of a DNS name, as a part of a pattern. */
export const LABEL = "[a-z0-9]+(-+[a-z0-9]+)*";

/**
 * A DNS name or an IPv4 address, in lower case. The pattern is unambiguous, so that matching takes linear
 * time.
 */
export const HOST_PATTERN = `^${LABEL}(\\.${LABEL})*$`;

/** A host, `*.example.com` or `*`, as a part of a pattern. */
export const WILDCARD_HOST = `(\\*|(\\*\\.)?${LABEL}(\\.${LABEL})*)`;

/** `reviews`, `reviews.example.com`, `*.example.com` or `*`. */
const WILDCARD_HOST_PATTERN = `^${WILDCARD_HOST}$`;

/**
 * A wildcard host, optionally after a namespace, `.` (the document's own) or `*` (any): `shop/*.example.com`.
 */
export const NAMESPACED_HOST_PATTERN = `^((${LABEL}|\\*|\\.)/)?${WILDCARD_HOST}$`;

export function Host(description: string) {
  const form = "a host name in lower case, such as reviews or reviews.example.com";
  return Type.String({ pattern: HOST_PATTERN, maxLength: 253, description, [FORM_KEYWORD]: form });
}

export function WildcardHost(description: string) {
  const form = "a host name in lower case, *.example.com or *";
  return Type.String({ pattern: WILDCARD_HOST_PATTERN, maxLength: 253, description, [FORM_KEYWORD]: form });
}

export function PortNumber(description: string) {
  return Type.Integer({ minimum: 1, maximum: 65_535, description });
}

export function Protocol() {
  return Choice(
    ["HTTP", "HTTP2", "GRPC", "GRPC-WEB", "http", "http2", "grpc", "grpc-web"],
    "The protocol, in capitals or not: HTTP is HTTP/1.1 towards endpoints; HTTP2 and GRPC are HTTP/2 without TLS. GRPC-WEB: GRPC, and proxies translate calls of gRPC-Web to it. Proxies accept both on every port.",
  );
}

/** Workloads with all of these labels. An empty selector is refused: Istio's documents differ on its meaning. */
export function WorkloadSelector(description: string) {
  return Closed({ labels: SelectedLabels() }, { description });
}

export function SelectedLabels() {
  return MapOf(Type.String(), {
    minProperties: 1,
    description: "The labels that a workload must have, each with this value.",
  });
}

/** Exactly one of Istio's three string matches. */
export function StringMatch(description: string) {
  return Closed(stringMatches(), { minProperties: 1, maxProperties: 1, description });
}

/** A string match, or `{}`: present, with any value. */
export function PresenceMatch(description: string) {
  return Closed(stringMatches(), { maxProperties: 1, description });
}

function stringMatches() {
  return {
    exact: Type.Optional(Type.String({ description: "The whole value." })),
    prefix: Type.Optional(Type.String({ description: "How the value begins." })),
    regex: Type.Optional(
      Type.String({ minLength: 1, description: "An RE2 expression that matches the whole value." }),
    ),
  };
}

/** Headers to change on requests and responses. */
export function HeaderOperations(description: string) {
  return Closed(
    {
      request: Type.Optional(HeaderChanges("On the request, before it is forwarded.")),
      response: Type.Optional(HeaderChanges("On the response, before it is returned.")),
    },
    { description },
  );
}

function HeaderChanges(description: string) {
  return Closed(
    {
      set: Type.Optional(
        MapOf(Type.String(), {
          description: "Headers to set, replacing existing values.",
        }),
      ),
      add: Type.Optional(MapOf(Type.String(), { description: "Values to add after existing values." })),
      remove: Type.Optional(Type.Array(Type.String(), { description: "Headers to remove." })),
    },
    { description },
  );
}

export type StringMatchSpec = Static<ReturnType<typeof StringMatch>>;
export type HeaderOperationsSpec = Static<ReturnType<typeof HeaderOperations>>;
