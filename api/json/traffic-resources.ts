// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import { MapOf } from "../../core/documents/kinds/map-of.ts";
import { isMaglevTableSize } from "../../core/traffic/balancing/picker-maglev.ts";
import { MAX_RING_SIZE } from "../../core/traffic/balancing/picker-ring-hash.ts";
import type { Cluster } from "../../core/traffic/resources/cluster.ts";
import type { ClusterLoadAssignment, Endpoint } from "../../core/traffic/resources/endpoint.ts";
import type { HealthCheck } from "../../core/traffic/resources/health-check.ts";
import {
  B3_FORMS,
  type Listener,
  type ListenerLimits,
  PEER_TLS_MODES,
} from "../../core/traffic/resources/listener.ts";
import type { HashSource, LoadBalancer } from "../../core/traffic/resources/load-balancer.ts";
import type { OutlierDetection } from "../../core/traffic/resources/outlier-detection.ts";
import {
  type CorsPolicy,
  type HeaderMatch,
  RETRY_CONDITIONS,
  type RouteAction,
  type RouteHeaderOperations,
  type RouteTable,
  type StringMatch,
} from "../../core/traffic/resources/route.ts";
import type { RequestAuthentication } from "../../core/traffic/resources/request-authentication.ts";
import type { OverloadSettings } from "../../core/traffic/resources/overload.ts";
import { ENFORCEMENT_MODES } from "../../kernel/enforcement-mode.ts";
import { RATE_LIMIT_FORMS, UPSTREAM_RATE_LIMITS } from "../../kernel/rate-limit-settings.ts";
import { STATUS_CODES } from "../../kernel/status.ts";
import { PATH_NORMALIZATIONS } from "../../kernel/canonical/path.ts";
import { exactly } from "./schema/exactly.ts";
import { Amount, oneOf, Text, Whole } from "./schema/fields.ts";
import { TcpListenerSchema } from "./tcp-resources.ts";
import { TlsServerSchema, TrustDomains, UpstreamTlsSchema } from "./tls-resources.ts";

// Traffic resources as replies carry them: core's own types.

const Port = Type.Integer({ minimum: 0, maximum: 65_535 });

const Flag = Type.Boolean();

const TextMap = MapOf(Text);

const HttpStatus = Type.Integer({ minimum: 200, maximum: 599 });

const Protocol = oneOf(["http1", "http2"]);

const ListenerLimitsSchema = exactly<ListenerLimits>()(
  Type.Object({
    maxConnections: Type.Integer({ minimum: 1 }),
    maxHeaderBytes: Type.Integer({ minimum: 1 }),
    headersTimeoutMs: Amount,
    handshakeTimeoutMs: Amount,
    maxHandshakes: Type.Integer({ minimum: 1 }),
    requestTimeoutMs: Amount,
    connectionIdleMs: Amount,
    streamIdleMs: Amount,
    drainGraceMs: Amount,
    memoryLimitBytes: Whole,
  }),
);

const RequestAuthenticationSchema = exactly<RequestAuthentication>()(
  Type.Object({
    rules: Type.Array(
      Type.Object({
        document: Text,
        issuer: Text,
        audiences: Type.Array(Text),
        keys: Type.Union([
          Type.Object({ kind: Type.Literal("inline"), jwks: Text }),
          Type.Object({ kind: Type.Literal("remote"), url: Text, timeoutMs: Amount }),
        ]),
        places: Type.Array(
          Type.Union([
            Type.Object({ kind: Type.Literal("header"), name: Text, prefix: Text }),
            Type.Object({ kind: Type.Literal("param"), name: Text }),
            Type.Object({ kind: Type.Literal("cookie"), name: Text }),
          ]),
          { minItems: 1 },
        ),
        payloadHeader: Type.Optional(Text),
        claimHeaders: Type.Array(Type.Object({ header: Text, claim: Text })),
        forwardsToken: Flag,
        spaceDelimitedClaims: Type.Array(Text),
      }),
    ),
  }),
);

export const ListenerSchema = exactly<Listener>()(
  Type.Object({
    name: Text,
    host: Text,
    port: Port,
    origin: Type.Optional(Text),
    direction: oneOf(["inbound", "outbound"]),
    routeTable: Text,
    edge: Flag,
    trustedHops: Whole,
    pathNormalization: oneOf(PATH_NORMALIZATIONS),
    limits: ListenerLimitsSchema,
    tracing: Type.Optional(
      Type.Object({
        randomSamplingPercentage: Type.Number({ minimum: 0, maximum: 100 }),
        b3: oneOf(B3_FORMS),
      }),
    ),
    rateLimitHeaders: Type.Optional(
      Type.Object({
        forms: Type.Array(oneOf(RATE_LIMIT_FORMS)),
        upstream: oneOf(UPSTREAM_RATE_LIMITS),
        quotaState: Flag,
      }),
    ),
    proxyProtocol: Type.Optional(Flag),
    grpcWeb: Type.Optional(Flag),
    tlsServers: Type.Optional(Type.Array(TlsServerSchema)),
    peerTls: Type.Optional(Type.Object({ mode: oneOf(PEER_TLS_MODES), trustDomains: TrustDomains })),
    requestAuthentication: Type.Optional(RequestAuthenticationSchema),
    tcp: Type.Optional(TcpListenerSchema),
  }),
);

const EXACT = Type.Object({ kind: Type.Literal("exact"), value: Text });
const PREFIX = Type.Object({ kind: Type.Literal("prefix"), value: Text });
const REGEX = Type.Object({ kind: Type.Literal("regex"), value: Text });
const PRESENT = Type.Object({ kind: Type.Literal("present") });

const StringMatchSchema = exactly<StringMatch>()(Type.Union([EXACT, PREFIX, REGEX]));

const HeaderMatchSchema = exactly<HeaderMatch>()(Type.Union([EXACT, PREFIX, REGEX, PRESENT]));

const HeaderMatches = MapOf(HeaderMatchSchema);

const HeaderOperationsSchema = exactly<RouteHeaderOperations>()(
  Type.Object({ set: TextMap, add: TextMap, remove: Type.Array(Text) }),
);

const RetryPolicySchema = Type.Object({
  retries: Whole,
  on: Type.Array(oneOf(RETRY_CONDITIONS)),
  onStatuses: Type.Array(HttpStatus),
  idempotentOnly: Flag,
  perTryTimeoutMs: Amount,
  backoffBaseMs: Amount,
  backoffMaxMs: Amount,
  mayRepeatEndpoints: Type.Optional(Flag),
  hedgeOnTryTimeout: Type.Optional(Flag),
});

const Percentage = Type.Number({ minimum: 0, maximum: 100 });

const HashSourceSchema = exactly<HashSource>()(
  Type.Union([
    Type.Object({ kind: Type.Literal("header"), name: Text }),
    Type.Object({ kind: Type.Literal("query"), name: Text }),
    Type.Object({ kind: Type.Literal("source-ip") }),
    Type.Object({
      kind: Type.Literal("cookie"),
      name: Text,
      ttlSeconds: Type.Optional(Whole),
      path: Type.Optional(Text),
      attributes: Type.Array(Type.Object({ name: Text, value: Type.Optional(Text) })),
    }),
  ]),
);

const RouteActionSchema = exactly<RouteAction>()(
  Type.Union([
    Type.Object({
      kind: Type.Literal("forward"),
      destinations: Type.Array(
        Type.Object({
          cluster: Text,
          weight: Amount,
          requestHeaders: HeaderOperationsSchema,
          responseHeaders: HeaderOperationsSchema,
        }),
      ),
      splitOn: Type.Optional(HashSourceSchema),
      rewrite: Type.Optional(
        Type.Object({
          path: Type.Optional(
            Type.Union([
              Type.Object({ kind: Type.Literal("prefix"), value: Text }),
              Type.Object({ kind: Type.Literal("whole"), value: Text }),
              Type.Object({ kind: Type.Literal("regex"), pattern: Text, substitution: Text }),
            ]),
          ),
          authority: Type.Optional(Text),
        }),
      ),
      timeoutMs: Amount,
      retry: RetryPolicySchema,
      mirrors: Type.Optional(Type.Array(Type.Object({ cluster: Text, percentage: Percentage }))),
    }),
    Type.Object({
      kind: Type.Literal("redirect"),
      code: Type.Unsafe<301 | 302 | 303 | 307 | 308>({ enum: [301, 302, 303, 307, 308] }),
      scheme: Type.Optional(Text),
      authority: Type.Optional(Text),
      port: Type.Optional(Port),
      derivePort: Type.Optional(oneOf(["scheme", "request"])),
      path: Type.Optional(Text),
      prefix: Type.Optional(Type.Object({ from: Text, to: Text })),
    }),
    Type.Object({
      kind: Type.Literal("direct"),
      status: HttpStatus,
      body: Text,
      bytes: Type.Optional(Text),
      contentType: Text,
    }),
  ]),
);

const FaultSchema = Type.Object({
  delay: Type.Optional(Type.Object({ delayMs: Amount, percentage: Percentage })),
  abort: Type.Optional(
    Type.Object({
      status: HttpStatus,
      grpcStatus: Type.Optional(oneOf(STATUS_CODES)),
      percentage: Percentage,
    }),
  ),
});

const Texts = Type.Array(Text);

const CorsPolicySchema = exactly<CorsPolicy>()(
  Type.Object({
    allowOrigins: Type.Array(StringMatchSchema),
    allowMethods: Texts,
    allowHeaders: Texts,
    exposeHeaders: Texts,
    maxAgeSeconds: Type.Optional(Whole),
    allowCredentials: Flag,
    forwardUnmatchedPreflights: Flag,
  }),
);

export const RouteTableSchema = exactly<RouteTable>()(
  Type.Object({
    name: Text,
    virtualHosts: Type.Array(
      Type.Object({
        name: Text,
        domains: Type.Array(Text),
        routes: Type.Array(
          Type.Object({
            name: Text,
            matches: Type.Array(
              Type.Object({
                path: Type.Optional(StringMatchSchema),
                ignoreCase: Flag,
                method: Type.Optional(StringMatchSchema),
                headers: HeaderMatches,
                withoutHeaders: HeaderMatches,
                queryParams: HeaderMatches,
              }),
            ),
            action: RouteActionSchema,
            requestHeaders: HeaderOperationsSchema,
            responseHeaders: HeaderOperationsSchema,
            fault: Type.Optional(FaultSchema),
            cors: Type.Optional(CorsPolicySchema),
          }),
        ),
      }),
    ),
  }),
);

const OverloadSchema = exactly<OverloadSettings>()(
  Type.Object({
    document: Text,
    mode: oneOf(ENFORCEMENT_MODES),
    priority: Type.Optional(Text),
    limit: Type.Object({
      minConcurrency: Type.Integer({ minimum: 1 }),
      maxConcurrency: Type.Integer({ minimum: 1 }),
      updateIntervalMs: Amount,
      latencyPercentile: Percentage,
      baselineIntervalMs: Amount,
      baselineJitterPercent: Percentage,
      baselineRequests: Type.Integer({ minimum: 1 }),
      baselineBufferPercent: Amount,
    }),
    queueLength: Whole,
    queueTimeoutMs: Amount,
  }),
);

const LoadBalancerSchema = exactly<LoadBalancer>()(
  Type.Union([
    Type.Object({
      kind: oneOf(["round-robin", "least-request"]),
      slowStart: Type.Optional(
        Type.Object({
          windowMs: Type.Number({ exclusiveMinimum: 0 }),
          aggression: Type.Number({ exclusiveMinimum: 0 }),
          minimumPercent: Percentage,
        }),
      ),
    }),
    Type.Object({ kind: Type.Literal("random") }),
    Type.Object({
      kind: Type.Literal("ring-hash"),
      hashOn: HashSourceSchema,
      minimumRingSize: Type.Integer({ minimum: 1, maximum: MAX_RING_SIZE }),
    }),
    Type.Object({
      kind: Type.Literal("maglev"),
      hashOn: HashSourceSchema,
      tableSize: Type.Refine(Type.Integer(), isMaglevTableSize),
    }),
  ]),
);

/** Above 0: a timer without a pause would hold the loop. */
const PositiveMs = Type.Integer({ minimum: 1 });

const HealthCheckSchema = exactly<HealthCheck>()(
  Type.Object({
    probe: Type.Union([
      Type.Object({
        kind: Type.Literal("http"),
        method: Text,
        path: Text,
        host: Text,
        headers: TextMap,
        expectedStatuses: Type.Array(Type.Object({ start: Whole, end: Whole })),
      }),
      Type.Object({ kind: Type.Literal("tcp") }),
      Type.Object({ kind: Type.Literal("grpc"), host: Text, service: Text }),
    ]),
    intervalMs: PositiveMs,
    noTrafficIntervalMs: PositiveMs,
    timeoutMs: PositiveMs,
    unhealthyThreshold: Whole,
    healthyThreshold: Whole,
    initialJitterMs: Amount,
  }),
);

const OutlierDetectionSchema = exactly<OutlierDetection>()(
  Type.Object({
    consecutive5xxErrors: Whole,
    consecutiveGatewayErrors: Whole,
    splitExternalLocalOriginErrors: Flag,
    consecutiveLocalOriginFailures: Whole,
    intervalMs: PositiveMs,
    baseEjectionMs: PositiveMs,
    maxEjectionPercent: Percentage,
    minHealthPercent: Percentage,
  }),
);

export const ClusterSchema = exactly<Cluster>()(
  Type.Object({
    name: Text,
    service: Type.Object({ host: Text, name: Text, namespace: Text }),
    subset: Type.Optional(Text),
    isMissing: Type.Optional(Type.Literal(true)),
    loadBalancer: LoadBalancerSchema,
    connectTimeoutMs: Amount,
    maxRequests: Whole,
    maxRetries: Whole,
    retryBudget: Type.Optional(Type.Object({ percent: Percentage, minRetryConcurrency: Whole })),
    maxConnectionsPerEndpoint: Type.Integer({ minimum: 1 }),
    maxPendingRequestsPerEndpoint: Whole,
    maxRequestsPerConnection: Whole,
    maxConnectionDurationMs: Amount,
    connectionIdleTimeoutMs: Amount,
    tcpKeepaliveTimeMs: Amount,
    tcpIdleTimeoutMs: Type.Optional(Amount),
    proxyProtocol: Type.Optional(Type.Unsafe<1 | 2>({ enum: [1, 2] })),
    overload: Type.Optional(OverloadSchema),
    protocol: Type.Optional(Protocol),
    grpcWeb: Type.Optional(Flag),
    maxConcurrentStreams: Type.Optional(Type.Integer({ minimum: 1 })),
    tls: Type.Optional(UpstreamTlsSchema),
    healthCheck: Type.Optional(HealthCheckSchema),
    outlierDetection: Type.Optional(OutlierDetectionSchema),
  }),
);

export const EndpointSchema = exactly<Endpoint>()(
  Type.Object({
    address: Type.String({ minLength: 1 }),
    lookup: Type.Optional(oneOf(["all", "first"])),
    port: Port,
    weight: Type.Number({ minimum: 1 }),
    labels: TextMap,
    workload: Type.Optional(Text),
    locality: Type.Optional(Text),
    priority: Type.Optional(Whole),
    serviceAccount: Type.Optional(Text),
    tls: Type.Optional(UpstreamTlsSchema),
  }),
);

export const ClusterLoadAssignmentSchema = exactly<ClusterLoadAssignment>()(
  Type.Object({
    name: Text,
    endpoints: Type.Array(EndpointSchema),
    checkedByDestination: Flag,
    localityWeights: Type.Optional(MapOf(Type.Number({ exclusiveMinimum: 0 }))),
  }),
);
