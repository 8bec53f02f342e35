// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyNode } from "../../api/pilot-service.ts";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import {
  type AttributeGroup,
  groupOfFields,
  present,
  requestFields,
  type RequestFields,
} from "../../core/attributes/request-group.ts";
import { EDGE_LABELS } from "../../core/traffic/labels.ts";
import { parsePeerIdentity, type PeerIdentity } from "../../core/identity/peer-identity.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { ConnectionFacts } from "../transport/contract/connection.ts";
import { isoTimeOf } from "../exchange/iso-time.ts";
import type { Filter } from "./filter.ts";

/** The attributes of a node that are the same for all its requests. */
export class NodeAttributes {
  /** Undefined for an edge, which is not a workload of the mesh. */
  readonly workload: AttributeGroup | undefined;
  readonly inboundReporter: AttributeGroup;
  readonly outboundReporter: AttributeGroup;
  /** The edge as a workload, which policies protect too; undefined for a sidecar. */
  readonly gateway: AttributeGroup | undefined;
  /** The workload behind a sidecar, as the destination of its inbound requests. */
  readonly destination: AttributeGroup;
  readonly #identity: OwnIdentity | undefined;
  #parsedId: string | undefined;
  #peer: PeerIdentity | undefined;

  /** @param identity Undefined for a proxy without a workload's certificate. */
  constructor(node: ProxyNode, identity?: OwnIdentity) {
    this.#identity = identity;
    this.workload = node.role === "sidecar" ? { name: node.service } : undefined;
    this.inboundReporter = { kind: "inbound", uid: node.id };
    this.outboundReporter = { kind: "outbound", uid: node.id };
    const { role, namespace } = node;
    this.gateway =
      role === "edge"
        ? { namespace: namespace ?? "default", labels: { ...EDGE_LABELS, ...node.labels } }
        : undefined;
    this.destination =
      role === "sidecar"
        ? present({ namespace, labels: node.labels ?? {}, port: node.inbound?.appPort })
        : {};
  }

  /** The proxy's own identity, in the certificate that it has now. */
  get peer(): PeerIdentity | undefined {
    const id = this.#identity?.spiffeId;
    if (id === undefined) return undefined;
    if (id !== this.#parsedId) {
      this.#parsedId = id;
      this.#peer = parsePeerIdentity(id);
    }
    return this.#peer;
  }
}

/** The part of a WorkloadCredential that the filters read. */
export interface OwnIdentity {
  /** The SPIFFE id of the proxy's certificate; undefined before the first. */
  readonly spiffeId: string | undefined;
}

/**
 * Builds the attributes that policies decide by: the request in the vocabulary of
 * policies/attribute-manifest.yaml, with the headers as they go upstream. Unknown attributes are absent.
 */
export function attributesFilter(node: NodeAttributes): Filter {
  return {
    name: "attributes",
    onRequest(exchange) {
      requestAttributes(exchange, node);
      return undefined;
    },
  };
}

/**
 * The attributes that are known before the response. The groups are literals, and not one object that is
 * copied without its undefined properties: that took 25 µs a request.
 */
export function requestAttributes(exchange: Exchange, node: NodeAttributes): AttributeBag {
  const { connection, listener, selection } = exchange;
  const time = isoTimeOf(exchange.startMs);
  const inbound = listener.direction === "inbound";
  const fields = fieldsOf(exchange, time);
  const source = sourceGroup(connection, inbound, node);
  const destination = destinationOf(exchange, inbound, node);
  const origin = { ip: exchange.originIp };
  const request = groupOfFields(fields);
  const facts = connectionGroup(connection);
  const context = contextOf(exchange, node, time);
  const bag: AttributeBag =
    selection === undefined
      ? { source, destination, origin, request, connection: facts, context }
      : {
          source,
          destination,
          origin,
          request,
          connection: facts,
          context,
          route: selection.matched.attributes,
        };
  exchange.requestFields = fields;
  exchange.attributes = bag;
  return bag;
}

function fieldsOf({ request, requestId, trace, authentication }: Exchange, time: string): RequestFields {
  const { method, scheme, authority, path, query } = request;
  const headers = request.headers.flat();
  return requestFields(
    { method, scheme, authority, path, query, headers, isAscii: request.headers.isAscii() },
    {
      id: requestId,
      size: request.hasBody ? request.contentLength : 0,
      time,
      traceId: trace?.traceId,
      spanId: trace?.spanId,
      parentSpanId: trace?.parentSpanId,
      auth: authentication?.attributes,
    },
  );
}

export function connectionGroup({ id, tls }: ConnectionFacts): AttributeGroup {
  const mtls = tls?.peerCertificate !== undefined;
  return tls?.serverName === undefined ? { id, mtls } : { id, mtls, requested_server_name: tls.serverName };
}

const SPIFFE = "spiffe://";

/** The workload's identity in the certificate that the client was verified by; undefined without one. */
function principalOf({ tls }: ConnectionFacts): string | undefined {
  const uri = tls?.peerCertificate?.uris.find((each) => each.startsWith(SPIFFE));
  return uri?.slice(SPIFFE.length);
}

export function sourceGroup(
  connection: ConnectionFacts,
  inbound: boolean,
  node: NodeAttributes,
): AttributeGroup {
  const { remoteIp: ip, remotePort: port } = connection;
  const peer = connection.tls?.peer;
  if (peer !== undefined) return { ip, port, ...peerAttributes(peer), workload: workloadOf(peer) };
  // The caller of a sidecar's outbound listener is the sidecar's own workload.
  const own = inbound || node.workload === undefined ? undefined : node.peer;
  if (own !== undefined)
    return { ip, port, ...peerAttributes(own), workload: { ...node.workload, ...workloadOf(own) } };
  const principal = connection.tls === undefined ? undefined : principalOf(connection);
  if (principal !== undefined) {
    const workload = inbound ? undefined : node.workload;
    return present({ ip, port, principal, user: principal, workload });
  }
  // A proxy knows its own workload; it would know its peer's only from a client certificate.
  return inbound || node.workload === undefined ? { ip, port } : { ip, port, workload: node.workload };
}

/** The attributes that a SPIFFE id tells, of the caller or of the called side. */
function peerAttributes({ principal, namespace, serviceAccount }: PeerIdentity): AttributeGroup {
  return namespace === undefined || serviceAccount === undefined
    ? { principal, user: principal }
    : { principal, user: principal, namespace, serviceAccount };
}

function workloadOf({ namespace }: PeerIdentity): AttributeGroup {
  return namespace === undefined ? {} : { namespace };
}

function destinationOf(
  { connection, selection }: Exchange,
  inbound: boolean,
  node: NodeAttributes,
): AttributeGroup {
  if (!inbound) return selection?.kind === "forward" ? selection.endpoints.destination : {};
  return inboundDestination(
    connection,
    selection?.kind === "forward" ? selection.cluster.service : undefined,
    node,
  );
}

/** The workload behind the sidecar that a connection has come to. */
export function inboundDestination(
  connection: ConnectionFacts,
  service: AttributeGroup | undefined,
  node: NodeAttributes,
): AttributeGroup {
  const { localIp: ip, localPort } = connection;
  // The application's port, as Istio's policies mean it: clients connect to the sidecar's.
  const { namespace = service?.["namespace"], labels, port = localPort } = node.destination;
  const own = connection.tls?.peer === undefined ? undefined : node.peer;
  if (own === undefined) return present({ service, namespace, labels, workload: node.workload, ip, port });
  const workload = { ...node.workload, ...workloadOf(own) };
  return present({ service, namespace, labels, workload, ip, port, ...peerAttributes(own) });
}

function contextOf(
  exchange: Exchange,
  { inboundReporter, outboundReporter, gateway }: NodeAttributes,
  time: string,
): AttributeGroup {
  const reporter = exchange.listener.direction === "inbound" ? inboundReporter : outboundReporter;
  const protocol = isGrpc(exchange) ? "grpc" : "http";
  return gateway === undefined ? { protocol, reporter, time } : { protocol, reporter, gateway, time };
}

function isGrpc({ request }: Exchange): boolean {
  const type = request.headers.get("content-type");
  return type !== undefined && /^application\/grpc(\+|;|$)/i.test(type);
}
