// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag, AttributeValue } from "../../core/attributes/bag.ts";
import {
  type AttributeGroup,
  groupOfFields,
  present,
  type RequestFields,
} from "../../core/attributes/request-group.ts";
import { textOfEvent } from "../../core/quota/beyond/beyond-event.ts";
import { formatDocumentRef } from "../../core/check/document-ref.ts";
import { QUOTA_STATES, type QuotaState } from "../../core/quota/quota-state.ts";
import { headerValues } from "../../kernel/canonical/header-values.ts";
import { STATUS_CODES } from "../../kernel/status.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { isoTimeOf } from "../exchange/iso-time.ts";
import type { CheckResult } from "../policy/check-result.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import type { ClusterEndpoint } from "../upstream/endpoint-set.ts";
import { type NodeAttributes, requestAttributes } from "./filter-attributes.ts";

type MutableBag = { [group: string]: AttributeValue | undefined };

/**
 * The attributes at the end of the exchange: the request's with those of the response, the check and the
 * quotas. Groups that have not changed are shared with the request's bag.
 */
export function completeAttributes(exchange: Exchange, node: NodeAttributes, nowMs: number): AttributeBag {
  const bag = exchange.attributes ?? requestAttributes(exchange, node);
  const { endpoint, verdict, errorCode } = exchange;
  const request = completeRequestGroup(exchange);
  const context =
    errorCode === undefined
      ? bag["context"]
      : { ...(bag["context"] as AttributeGroup), proxy_error_code: errorCode };
  const complete: MutableBag = {
    source: bag["source"],
    destination:
      endpoint === undefined
        ? bag["destination"]
        : destinationAt(bag["destination"] as AttributeGroup, endpoint),
    origin: bag["origin"],
    request,
    connection: bag["connection"],
    context,
  };
  if (bag["route"] !== undefined) complete["route"] = bag["route"];
  complete["response"] = responseGroup(exchange, nowMs);
  if (endpoint !== undefined)
    complete["upstream"] = { address: endpoint.addressText, attempts: exchange.tries };
  if (verdict !== undefined) {
    complete["check"] = checkGroup(verdict);
    complete["quota"] = quotaGroup(verdict);
  }
  return complete;
}

function completeRequestGroup(exchange: Exchange): AttributeGroup {
  const { requestBytes, requestHeaderBytes, requestTrailers } = exchange;
  const totalSize = requestBytes + requestHeaderBytes + sizeOf(requestTrailers);
  return groupOfFields(exchange.requestFields as RequestFields, requestBytes, totalSize);
}

function responseGroup(exchange: Exchange, nowMs: number): AttributeGroup {
  const { response, responseTrailers, responseBytes } = exchange;
  const group: MutableBag = {
    code: response?.status ?? 0,
    code_details: exchange.details,
    flags: exchange.flagText,
    size: responseBytes,
    total_size: responseBytes + sizeOf(response?.headers) + sizeOf(responseTrailers),
    duration: exchange.durationMs,
    time: isoTimeOf(nowMs),
  };
  if (response === undefined) return withGrpc(group, undefined, responseTrailers);
  const headers = headerValues(response.headers.flat(), response.headers.isAscii()).joined;
  group["headers"] = headers;
  return withGrpc(group, headers, responseTrailers);
}

function withGrpc(
  group: MutableBag,
  headers: Readonly<Record<string, string>> | undefined,
  trailers: HeaderList | undefined,
): AttributeGroup {
  const status = headers?.["grpc-status"] ?? trailers?.get("grpc-status");
  if (status !== undefined) group["grpc_status"] = status;
  const message = headers?.["grpc-message"] ?? trailers?.get("grpc-message");
  if (message !== undefined) group["grpc_message"] = message;
  return group;
}

function sizeOf(headers: HeaderList | undefined): number {
  return headers === undefined ? 0 : headers.byteLength();
}

const HIT: AttributeGroup = { cache_hit: true };
const MISS: AttributeGroup = { cache_hit: false };

/** The groups `quota` with a state, so that all requests share them. */
const QUOTA_HITS = quotaGroups(true);
const QUOTA_MISSES = quotaGroups(false);

function quotaGroups(cacheHit: boolean): ReadonlyMap<QuotaState, AttributeGroup> {
  return new Map(QUOTA_STATES.map((state) => [state, { cache_hit: cacheHit, state }]));
}

export function quotaGroup({ quotaCacheHit, quotaState, beyond }: CheckResult): AttributeGroup {
  if (beyond !== undefined)
    return present({
      cache_hit: quotaCacheHit,
      state: quotaState,
      beyond: beyond.events.map(textOfEvent),
    });
  if (quotaState === undefined) return quotaCacheHit ? HIT : MISS;
  return (quotaCacheHit ? QUOTA_HITS : QUOTA_MISSES).get(quotaState) as AttributeGroup;
}

export function checkGroup({ outcome, checkCacheHit, shadowDenials, audits }: CheckResult): AttributeGroup {
  if (outcome.kind === "allow" && shadowDenials.length === 0 && audits.length === 0)
    return checkCacheHit ? HIT : MISS;
  const refusal = outcome.kind === "allow" ? undefined : outcome;
  return present({
    cache_hit: checkCacheHit,
    policy: refusal?.decidedBy && formatDocumentRef(refusal.decidedBy),
    error_code: refusal && STATUS_CODES.indexOf(refusal.status.code),
    error_message: refusal?.status.message,
    shadow_denials: shadowDenials.length > 0 ? shadowDenials.map(formatDocumentRef) : undefined,
    audits: audits.length > 0 ? audits.map(formatDocumentRef) : undefined,
  });
}

/**
 * The attributes `destination.*`, with the endpoint's in place of those of the listening address. Requests through the same
 * endpoint share them, as far as they share what is known before.
 */
export function destinationAt(known: AttributeGroup, target: ClusterEndpoint): AttributeGroup {
  if (target.destination?.known !== known)
    target.destination = { known, group: mergedDestination(known, target) };
  return target.destination.group;
}

function mergedDestination(known: AttributeGroup, target: ClusterEndpoint): AttributeGroup {
  const { ip, workload } = target;
  const { port, labels } = target.endpoint;
  const { service, namespace, workload: own } = known;
  // Before a sidecar's own application, whose workload, labels and identity are known.
  if (own !== undefined) return present({ ...known, workload: workload ?? own, ip, port });
  return present({ service, namespace, ip, port, labels, workload });
}
