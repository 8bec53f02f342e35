// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { FORM_KEYWORD } from "../schema/form.ts";
import { Choice, Closed } from "./fields.ts";

/** The field types that Istio's kinds share. */

const LABEL = "[a-z0-9]+(-+[a-z0-9]+)*";

/** A DNS name or an IPv4 address, lower case. No two ways to match the same text, so matching takes linear time. */
export const HOST_PATTERN = `^${LABEL}(\\.${LABEL})*$`;

const WILDCARD_HOST = `(\\*|(\\*\\.)?${LABEL}(\\.${LABEL})*)`;

/** `reviews`, `reviews.example.com`, `*.example.com` or `*`. */
const WILDCARD_HOST_PATTERN = `^${WILDCARD_HOST}$`;

/** The same, with a namespace, `.` (the document's own) or `*` (any) before it: `shop/*.example.com`. */
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
  return Choice(["HTTP"], "What is spoken there: HTTP.");
}

/** Exactly one of Istio's three ways to match a text. */
export function StringMatch(description: string) {
  return Closed(stringMatches(), { minProperties: 1, maxProperties: 1, description });
}

/** The same, or `{}`: present, whatever its value. */
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
        Type.Record(Type.String(), Type.String(), {
          description: "Headers to set, replacing what is there.",
        }),
      ),
      add: Type.Optional(
        Type.Record(Type.String(), Type.String(), { description: "Values to add after what is there." }),
      ),
      remove: Type.Optional(Type.Array(Type.String(), { description: "Headers to remove." })),
    },
    { description },
  );
}

export type StringMatchSpec = Static<ReturnType<typeof StringMatch>>;
export type HeaderOperationsSpec = Static<ReturnType<typeof HeaderOperations>>;
