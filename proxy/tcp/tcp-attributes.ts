// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag, AttributeValue } from "../../core/attributes/bag.ts";
import { type AttributeGroup, present } from "../../core/attributes/request-group.ts";
import { isoTimeOf } from "../exchange/iso-time.ts";
import { checkGroup, destinationAt, quotaGroup } from "../filters/complete-attributes.ts";
import {
  connectionGroup,
  inboundDestination,
  type NodeAttributes,
  sourceGroup,
} from "../filters/filter-attributes.ts";
import type { CheckResult } from "../policy/check-result.ts";
import type { ConnectionFacts } from "../transport/contract/connection.ts";
import type { ClusterEndpoint } from "../upstream/endpoint-set.ts";
import { rowOf, type TcpEnding } from "../exchange/tcp-ending.ts";

/** A connection as policies and reports see it. */
export interface TcpSubject {
  readonly facts: ConnectionFacts;
  readonly serverName: string | undefined;
  readonly isInbound: boolean;
  /** The service that the route leads to; undefined without a route. */
  readonly service: AttributeGroup | undefined;
  /** Of an outbound connection: the destination, as far as it is known before an endpoint is picked. */
  readonly destination: AttributeGroup;
  readonly route: string | undefined;
}

/**
 * The attributes when the connection opens, in the vocabulary of policies/attribute-manifest.yaml. There are none of a
 * request or response.
 */
export function openAttributes(subject: TcpSubject, node: NodeAttributes, nowMs: number): AttributeBag {
  const { facts, serverName, isInbound, service, destination, route } = subject;
  const name = serverName === undefined ? {} : { requested_server_name: serverName };
  return {
    source: sourceGroup(facts, isInbound, node),
    destination: isInbound ? inboundDestination(facts, service, node) : destination,
    origin: { ip: facts.remoteIp },
    connection: { ...connectionGroup(facts), ...name, event: "open" },
    context: {
      protocol: "tcp",
      reporter: isInbound ? node.inboundReporter : node.outboundReporter,
      ...(node.gateway === undefined ? {} : { gateway: node.gateway }),
      time: isoTimeOf(nowMs),
    },
    ...(route === undefined ? {} : { route: { name: route } }),
  };
}

/** Bytes of a connection: from the client, and to it. */
export interface ByteCounts {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** The state of a connection that a report tells. */
export interface TcpReport {
  readonly event: "open" | "continue" | "close";
  readonly nowMs: number;
  readonly total: ByteCounts;
  /** The total of the last report. */
  readonly before: ByteCounts;
  readonly endpoint: ClusterEndpoint | undefined;
  readonly verdict: CheckResult | undefined;
  /** Of the event `close` alone. */
  readonly end: { readonly ending: TcpEnding; readonly durationMs: number } | undefined;
}

/** The attributes of a report: those of the open connection, with its bytes, as Mixer's TCP filter reported them. */
export function reportAttributes(open: AttributeBag, report: TcpReport): AttributeBag {
  const { event, nowMs, total, before, endpoint, verdict, end } = report;
  const row = end === undefined ? {} : rowOf(end.ending);
  const bag: { [group: string]: AttributeValue | undefined } = {
    ...open,
    connection: present({
      ...(open["connection"] as AttributeGroup),
      event,
      received: { bytes: total.receivedBytes - before.receivedBytes, bytes_total: total.receivedBytes },
      sent: { bytes: total.sentBytes - before.sentBytes, bytes_total: total.sentBytes },
      duration: end?.durationMs,
    }),
    context: present({
      ...(open["context"] as AttributeGroup),
      time: isoTimeOf(nowMs),
      proxy_error_code: row.code,
    }),
  };
  if (end !== undefined) bag["response"] = { flags: row.flag ?? "-", code_details: end.ending };
  if (endpoint !== undefined) {
    bag["destination"] = destinationAt(open["destination"] as AttributeGroup, endpoint);
    bag["upstream"] = { address: endpoint.addressText, attempts: 1 };
  }
  if (verdict !== undefined) {
    bag["check"] = checkGroup(verdict);
    bag["quota"] = quotaGroup(verdict);
  }
  return bag;
}
