// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyNode } from "../../api/pilot-service.ts";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { headerValues } from "../../kernel/canonical/header-values.ts";
import { type AttributeGroup, present, requestGroup } from "../../core/attributes/request-group.ts";
import { formatDocumentRef } from "../../core/check/document-ref.ts";
import { canonicalAddress } from "../../kernel/matching/ip-address.ts";
import { STATUS_CODES } from "../../kernel/status.ts";
import type { Endpoint } from "../../core/traffic/resources/endpoint.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { CheckResult } from "../policy/check-result.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import type { Filter } from "./filter.ts";

/**
 * Builds the attributes that policies decide by: the request in the vocabulary of
 * policies/attribute-manifest.yaml, with the headers as they go upstream. Unknown attributes are absent.
 */
export function attributesFilter(node: ProxyNode): Filter {
  return {
    name: "attributes",
    onRequest(exchange) {
      exchange.attributes = requestAttributes(exchange, node);
      return undefined;
    },
  };
}

/** The attributes that are known before the response. */
function requestAttributes(exchange: Exchange, node: ProxyNode): AttributeBag {
  const { connection, listener, selection, startMs } = exchange;
  const time = new Date(startMs).toISOString();
  const inbound = listener.direction === "inbound";
  const service = selection?.kind === "forward" ? selection.cluster.config.service : undefined;
  const ownWorkload = node.role === "sidecar" ? { name: node.service } : undefined;
  return {
    source: present({
      ip: connection.remoteIp,
      port: connection.remotePort,
      // A proxy knows its own workload; it would know its peer's only from a client certificate.
      workload: inbound ? undefined : ownWorkload,
    }),
    destination: present({
      service: service && { name: service.name, namespace: service.namespace, host: service.host },
      workload: inbound ? ownWorkload : undefined,
      ...(inbound ? { ip: connection.localIp, port: connection.localPort } : {}),
    }),
    origin: { ip: exchange.originIp },
    request: requestAttributesOf(exchange, time),
    connection: { id: connection.id, mtls: connection.tls?.peerCertificate !== undefined },
    context: {
      protocol: isGrpc(exchange) ? "grpc" : "http",
      reporter: { kind: listener.direction, uid: node.id },
      time,
    },
    ...(selection === undefined ? {} : { route: { name: selection.matched.route.name } }),
  };
}

function requestAttributesOf({ request, requestId, trace }: Exchange, time: string): AttributeGroup {
  return present({
    ...requestGroup({ ...request, headers: request.headers.flat() }),
    id: requestId,
    size: request.hasBody ? request.contentLength : 0,
    time,
    trace_id: trace?.traceId,
    span_id: trace?.spanId,
    parent_span_id: trace?.parentSpanId,
  });
}

/**
 * The attributes at the end of the exchange: the request's with those of the response, the check and the
 * quotas.
 */
export function completeAttributes(exchange: Exchange, node: ProxyNode, nowMs: number): AttributeBag {
  const bag = exchange.attributes ?? requestAttributes(exchange, node);
  const { endpoint, verdict, errorCode } = exchange;
  return {
    ...bag,
    request: {
      ...(bag["request"] as AttributeGroup),
      size: exchange.requestBytes,
      total_size: exchange.requestBytes + exchange.requestHeaderBytes + sizeOf(exchange.requestTrailers),
    },
    response: responseGroup(exchange, nowMs),
    ...(endpoint === undefined
      ? {}
      : {
          destination: destinationAt(bag["destination"] as AttributeGroup, endpoint),
          upstream: { address: `${endpoint.address}:${endpoint.port}`, attempts: exchange.tries },
        }),
    ...(errorCode === undefined
      ? {}
      : { context: { ...(bag["context"] as AttributeGroup), proxy_error_code: errorCode } }),
    ...(verdict === undefined
      ? {}
      : { check: checkGroup(verdict), quota: { cache_hit: verdict.quotaCacheHit } }),
  };
}

function responseGroup(exchange: Exchange, nowMs: number): AttributeGroup {
  const { response, responseTrailers } = exchange;
  const headers = response && headerValues(response.headers.flat()).joined;
  return present({
    code: response?.status ?? 0,
    code_details: exchange.details,
    flags: exchange.flagText,
    size: exchange.responseBytes,
    total_size: exchange.responseBytes + sizeOf(response?.headers) + sizeOf(responseTrailers),
    duration: exchange.durationMs,
    time: new Date(nowMs).toISOString(),
    headers,
    grpc_status: headers?.["grpc-status"] ?? responseTrailers?.get("grpc-status"),
    grpc_message: headers?.["grpc-message"] ?? responseTrailers?.get("grpc-message"),
  });
}

function sizeOf(headers: HeaderList | undefined): number {
  return headers === undefined ? 0 : headers.byteLength();
}

function checkGroup({ outcome, checkCacheHit, shadowDenials, audits }: CheckResult): AttributeGroup {
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

function destinationAt(known: AttributeGroup, endpoint: Endpoint): AttributeGroup {
  return present({
    ...known,
    // A DNS endpoint's address is a host name.
    ip: canonicalAddress(endpoint.address),
    port: endpoint.port,
    labels: endpoint.labels,
    workload: endpoint.workload === undefined ? known["workload"] : { name: endpoint.workload },
  });
}

function isGrpc({ request }: Exchange): boolean {
  return /^application\/grpc(\+|;|$)/i.test(request.headers.get("content-type") ?? "");
}
