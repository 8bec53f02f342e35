// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isIP } from "node:net";

import type { ProxyNode } from "../../api/pilot.ts";
import type { AttributeBag, AttributeValue } from "../../core/attributes/bag.ts";
import type { DocumentRef } from "../../core/check/decision.ts";
import { STATUS_CODES } from "../../core/kernel/status.ts";
import type { Endpoint } from "../../core/traffic/model.ts";
import type { Exchange } from "../exchange.ts";
import { parseQuery } from "../http1/request-target.ts";
import type { Verdict } from "../mixer-client/verdict.ts";
import type { Filter } from "./filter.ts";

type Group = { readonly [key: string]: AttributeValue | undefined };

/**
 * Builds what policies decide by: the request in the vocabulary of policies/attribute-manifest.yaml, headers as they will go
 * upstream. What is not known is absent.
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

/** What is known before the response. */
function requestAttributes(exchange: Exchange, node: ProxyNode): AttributeBag {
  const { downstream, listener, selection, startMs } = exchange;
  const time = new Date(startMs).toISOString();
  const inbound = listener.direction === "inbound";
  const service = selection?.kind === "forward" ? selection.cluster.config.service : undefined;
  const ownWorkload = node.role === "sidecar" ? { name: node.service } : undefined;
  return {
    source: present({
      ip: downstream.remoteIp,
      port: downstream.remotePort,
      // Of itself a proxy knows what it is; of its peer only what a certificate will say one day.
      workload: inbound ? undefined : ownWorkload,
    }),
    destination: present({
      service: service && { name: service.name, namespace: service.namespace, host: service.host },
      workload: inbound ? ownWorkload : undefined,
      ...(inbound ? { ip: downstream.localIp, port: downstream.localPort } : {}),
    }),
    origin: { ip: exchange.originIp },
    request: requestGroup(exchange, time),
    connection: { id: downstream.connectionId, mtls: false },
    context: {
      protocol: isGrpc(exchange) ? "grpc" : "http",
      reporter: { kind: listener.direction, uid: node.id },
      time,
    },
    ...(selection === undefined ? {} : { route: { name: selection.matched.route.name } }),
  };
}

function requestGroup({ request, requestId, trace }: Exchange, time: string): Group {
  const headers = request.headers.toRecord();
  return present({
    id: requestId,
    method: request.method,
    scheme: request.scheme,
    host: request.authority,
    path: request.path + request.query,
    url_path: request.path,
    query_params: parseQuery(request.query),
    headers,
    useragent: headers["user-agent"],
    referer: headers["referer"],
    size: request.hasBody ? request.contentLength : 0,
    time,
    trace_id: trace?.traceId,
    span_id: trace?.spanId,
    parent_span_id: trace?.parentSpanId,
  });
}

/** The same bag when the exchange is over: with the response, and with what the check and the quotas did. */
export function completeAttributes(exchange: Exchange, node: ProxyNode, nowMs: number): AttributeBag {
  const bag = exchange.attributes ?? requestAttributes(exchange, node);
  const { endpoint, verdict, errorCode } = exchange;
  return {
    ...bag,
    request: {
      ...(bag["request"] as Group),
      size: exchange.requestBytes,
      total_size: exchange.requestBytes + exchange.requestHeaderBytes,
    },
    response: responseGroup(exchange, nowMs),
    ...(endpoint === undefined
      ? {}
      : {
          destination: destinationAt(bag["destination"] as Group, endpoint),
          upstream: { address: `${endpoint.address}:${endpoint.port}`, attempts: exchange.tries },
        }),
    ...(errorCode === undefined
      ? {}
      : { context: { ...(bag["context"] as Group), proxy_error_code: errorCode } }),
    ...(verdict === undefined
      ? {}
      : { check: checkGroup(verdict), quota: { cache_hit: verdict.quotaCacheHit } }),
  };
}

function responseGroup(exchange: Exchange, nowMs: number): Group {
  const { response } = exchange;
  const headers = response?.headers.toRecord();
  return present({
    code: response?.status ?? 0,
    code_details: exchange.details,
    flags: exchange.flagText,
    size: exchange.responseBytes,
    total_size: exchange.responseBytes + (response?.headers.byteLength() ?? 0),
    duration: exchange.durationMs,
    time: new Date(nowMs).toISOString(),
    headers,
    grpc_status: headers?.["grpc-status"],
    grpc_message: headers?.["grpc-message"],
  });
}

function checkGroup({ outcome, checkCacheHit, shadowDenials, audits }: Verdict): Group {
  const refusal = outcome.kind === "allow" ? undefined : outcome;
  return present({
    cache_hit: checkCacheHit,
    policy: refusal?.decidedBy && displayName(refusal.decidedBy),
    error_code: refusal && STATUS_CODES.indexOf(refusal.status.code),
    error_message: refusal?.status.message,
    shadow_denials: shadowDenials.length > 0 ? shadowDenials.map(displayName) : undefined,
    audits: audits.length > 0 ? audits.map(displayName) : undefined,
  });
}

function destinationAt(known: Group, endpoint: Endpoint): Group {
  return present({
    ...known,
    // An endpoint may be given by name.
    ip: isIP(endpoint.address) === 0 ? undefined : endpoint.address,
    port: endpoint.port,
    labels: endpoint.labels,
    workload: endpoint.workload === undefined ? known["workload"] : { name: endpoint.workload },
  });
}

function isGrpc({ request }: Exchange): boolean {
  return /^application\/grpc(\+|;|$)/i.test(request.headers.get("content-type") ?? "");
}

function displayName({ kind, name }: DocumentRef): string {
  return `${kind}/${name}`;
}

/** An absent attribute is an absent property. */
function present(group: Group): Group {
  const kept: Record<string, AttributeValue | undefined> = {};
  for (const name in group) if (group[name] !== undefined) kept[name] = group[name];
  return kept;
}
