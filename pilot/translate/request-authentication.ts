// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type {
  JwtRuleSpec,
  RequestAuthenticationSpec,
} from "../../core/documents/kinds/request-authentication.ts";
import { GATEWAY_NAME_LABEL } from "../../core/documents/kinds/target-refs.ts";
import { displayName } from "../../core/documents/kinds/kind.ts";
import type { TrafficDocument, TrafficDocuments } from "../../core/snapshot/snapshot.ts";
import { selects } from "../../core/traffic/labels.ts";
import type { Listener } from "../../core/traffic/resources/listener.ts";
import {
  DEFAULT_JWKS_TIMEOUT_MS,
  DEFAULT_TOKEN_PLACES,
  type JwtKeys,
  type JwtRule,
  type RequestAuthentication,
  type TokenPlace,
} from "../../core/traffic/resources/request-authentication.ts";
import { parseDurationMs } from "../../kernel/duration.ts";
import type { Workload } from "./workload.ts";

/** The listeners with the rules for their requests: those of an edge, and the inbound one of a sidecar, as in Istio. */
export function withRequestAuthentication(
  listeners: readonly Listener[],
  documents: TrafficDocuments,
  workload: Workload,
): readonly Listener[] {
  const requestAuthentication = requestAuthenticationOf(
    documents,
    workload,
    listeners.some(({ edge }) => edge),
  );
  if (requestAuthentication === undefined) return listeners;
  return listeners.map((listener) =>
    listener.edge || listener.direction === "inbound" ? { ...listener, requestAuthentication } : listener,
  );
}

/**
 * The rules for requests to a workload: of all documents that select it, in its namespace and in the root namespace, as in
 * Istio. Undefined when there are none.
 */
function requestAuthenticationOf(
  { requestAuthentications, rootNamespace }: TrafficDocuments,
  { namespace, labels }: Workload,
  isEdge: boolean,
): RequestAuthentication | undefined {
  const rules = requestAuthentications
    .filter(({ metadata, spec: { selector, targetRefs } }) =>
      targetRefs === undefined
        ? (metadata.namespace === namespace || metadata.namespace === rootNamespace) &&
          (selector === undefined || selects(selector.matchLabels, labels))
        : isEdge && targetRefs.some(({ name }) => (labels[GATEWAY_NAME_LABEL] ?? name) === name),
    )
    .flatMap(rulesOf);
  return rules.length === 0 ? undefined : { rules };
}

function rulesOf({ metadata, spec }: TrafficDocument<RequestAuthenticationSpec>): readonly JwtRule[] {
  return spec.jwtRules.map((rule) => ({
    document: displayName(metadata),
    issuer: rule.issuer,
    audiences: rule.audiences ?? [],
    keys: keysOf(rule),
    places: placesOf(rule),
    ...(rule.outputPayloadToHeader === undefined
      ? {}
      : { payloadHeader: rule.outputPayloadToHeader.toLowerCase() }),
    claimHeaders: (rule.outputClaimToHeaders ?? []).map(({ header, claim }) => ({
      header: header.toLowerCase(),
      claim,
    })),
    forwardsToken: rule.forwardOriginalToken ?? false,
    spaceDelimitedClaims: rule.spaceDelimitedClaims ?? [],
  }));
}

function keysOf({ jwks, jwksUri, timeout }: JwtRuleSpec): JwtKeys {
  if (jwks !== undefined) return { kind: "inline", jwks };
  const timeoutMs = parseDurationMs(timeout ?? "") ?? DEFAULT_JWKS_TIMEOUT_MS;
  return { kind: "remote", url: jwksUri ?? "", timeoutMs };
}

function placesOf({
  fromHeaders = [],
  fromParams = [],
  fromCookies = [],
}: JwtRuleSpec): readonly TokenPlace[] {
  const places: readonly TokenPlace[] = [
    ...fromHeaders.map(
      ({ name, prefix = "" }) => ({ kind: "header", name: name.toLowerCase(), prefix }) as const,
    ),
    ...fromParams.map((name) => ({ kind: "param", name }) as const),
    ...fromCookies.map((name) => ({ kind: "cookie", name }) as const),
  ];
  return places.length === 0 ? DEFAULT_TOKEN_PLACES : places;
}
