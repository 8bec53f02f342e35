// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeManifest } from "../../expressions/manifest/manifest.ts";
import type { ListenerLimits, ListenerTracing } from "../traffic/resources/listener.ts";
import type { PathNormalization } from "../../kernel/canonical/path.ts";
import type { EnforcementMode } from "../../kernel/enforcement-mode.ts";
import type { Metadata } from "../documents/kinds/kind.ts";
import type { AccessPolicySpec } from "../documents/kinds/access-policy.ts";
import type { DestinationRuleSpec } from "../documents/kinds/destination-rule.ts";
import type { GatewaySpec } from "../documents/kinds/gateway.ts";
import type { HealthCheckSpec } from "../documents/kinds/health-check.ts";
import type { EndpointsDocument, EndpointSliceDocument } from "../documents/kinds/kubernetes/endpoints.ts";
import type { PodDocument } from "../documents/kinds/kubernetes/pod.ts";
import type { ServiceDocument } from "../documents/kinds/kubernetes/service.ts";
import type { TcpRouteDocSpec, TlsRouteDocSpec } from "../documents/kinds/gateway-api/connection-routes.ts";
import type { KubernetesGatewaySpec } from "../documents/kinds/gateway-api/gateway.ts";
import type { GrpcRouteDocSpec } from "../documents/kinds/gateway-api/grpc-route.ts";
import type { HttpRouteDocSpec } from "../documents/kinds/gateway-api/http-route.ts";
import type { ReferenceGrantSpec } from "../documents/kinds/gateway-api/reference-grant.ts";
import type { RuleSpec } from "../documents/kinds/handler.ts";
import type { PeerAuthenticationSpec } from "../documents/kinds/peer-authentication.ts";
import type { QuotaPolicySpec } from "../documents/kinds/quota-policy.ts";
import type { OverloadSpec } from "../documents/kinds/overload.ts";
import type { RequestAuthenticationSpec } from "../documents/kinds/request-authentication.ts";
import type { ServiceEntrySpec } from "../documents/kinds/service-entry.ts";
import type { SidecarSpec } from "../documents/kinds/sidecar.ts";
import type { WorkloadEntrySpec } from "../documents/kinds/workload-entry.ts";
import type { VirtualServiceSpec } from "../documents/kinds/virtual-service-schema.ts";
import type { Expression } from "../expressions/expression.ts";
import type { AdapterDefinition, PluginDefinition } from "../hooks/extension.ts";
import type { TemplateName } from "../templates/template-names.ts";
import type { SourceLocation } from "../../kernel/diagnostic.ts";
import type { StatusCode } from "../../kernel/status.ts";
import type { BeyondStep } from "../quota/quota-charge.ts";
import type { QuotaDefinition } from "../quota/quota-definition.ts";
import type { RateLimitSettings } from "../../kernel/rate-limit-settings.ts";
import type { MetricType } from "../templates/instances.ts";

/**
 * A complete, checked set of documents: every expression compiled, every reference resolved, every default
 * filled in. Immutable; a request uses one snapshot from start to end.
 */
export interface Snapshot {
  /** A digest of the documents: the same set has the same version on every machine. */
  readonly version: string;
  readonly documents: readonly DocumentSummary[];
  /** All attributes that the set declares: built in, by AttributeManifests and by plugins. */
  readonly attributes: AttributeManifest;
  /** All in document order: files by name, then documents in their order in a file. */
  readonly accessPolicies: readonly AccessPolicy[];
  readonly quotaPolicies: readonly QuotaPolicy[];
  readonly metrics: readonly Metric[];
  readonly logEntries: readonly LogEntry[];
  readonly traceSpans: readonly TraceSpan[];
  readonly rules: readonly Rule[];
  readonly handlers: readonly HandlerDeclaration[];
  readonly traffic: TrafficDocuments;
}

export interface DocumentSummary {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly location: SourceLocation;
  /** As written, for comparison with a later set. */
  readonly spec: unknown;
  /** The parts of the metadata that change the document's effect, also for comparison; absent when it has none. */
  readonly metadata?: Partial<Pick<Metadata, "labels" | "annotations">>;
}

/** Fields of every compiled document. */
interface Named {
  /** Display name, used in replies, logs and metrics. */
  readonly name: string;
  readonly location: SourceLocation;
}

/** A compiled document outside its set. */
export type Unplaced<T extends Named> = Omit<T, "location">;

/** The value of an expression, or a literal. */
export type Computed =
  | { readonly kind: "expression"; readonly expression: Expression }
  | { readonly kind: "literal"; readonly value: string | number | boolean };

export type ComputedMap = readonly (readonly [key: string, value: Computed])[];

/** A document that decides about requests. */
interface Deciding extends Named {
  /** Made of an AuthorizationPolicy, by whose kind it is known: it protects workloads, edges among them. Absent: no. */
  readonly authorization?: true;
}

export interface AccessPolicy extends Deciding {
  readonly spec: AccessPolicySpec;
  readonly match: Expression | undefined;
  readonly action: "DENY" | "ALLOW" | "AUDIT";
  readonly when: Expression | undefined;
  readonly status: { readonly code: StatusCode; readonly message: Expression | undefined };
  readonly headers: { readonly request: HeaderTemplates; readonly response: HeaderTemplates };
  readonly directResponse: DirectResponseTemplate | undefined;
  readonly mode: EnforcementMode;
  readonly onError: "deny" | "allow";
  readonly validDurationMs: number;
  readonly validUseCount: number;
}

export interface HeaderTemplates {
  readonly set: readonly (readonly [name: string, value: Expression])[];
  readonly append: readonly (readonly [name: string, value: Expression])[];
  readonly remove: readonly string[];
}

export interface DirectResponseTemplate {
  readonly httpStatus: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Expression | undefined;
}

export interface QuotaPolicy extends Named {
  readonly spec: QuotaPolicySpec;
  readonly match: Expression | undefined;
  readonly key: ComputedMap;
  readonly limit: number;
  readonly charge: Computed;
  readonly overrides: readonly { readonly when: Expression; readonly limit: number }[];
  /** A handler's name; undefined for the built-in memory store. */
  readonly store: string | undefined;
  /** The part that charges contain whole. */
  readonly quota: QuotaDefinition;
  /** Steps of a request that the limit refuses, in order. */
  readonly beyond: readonly BeyondTemplate[];
  readonly message: Expression | undefined;
  readonly mode: EnforcementMode;
  readonly onError: "deny" | "allow";
}

/** A step of `beyond`, before a request has filled it in. */
export type BeyondTemplate =
  | Extract<BeyondStep, { readonly kind: "queue" | "degrade" }>
  /** `policy` is the display name of a QuotaPolicy. */
  | { readonly kind: "draw"; readonly policy: string };

export interface Metric extends Named {
  readonly match: Expression | undefined;
  readonly type: MetricType;
  readonly value: Computed;
  readonly labels: ComputedMap;
  readonly buckets: readonly number[] | undefined;
  readonly unit: string | undefined;
  readonly help: string | undefined;
  readonly handlers: readonly string[];
}

export interface LogEntry extends Named {
  readonly match: Expression | undefined;
  readonly severity: Expression | undefined;
  readonly variables: ComputedMap;
  readonly handlers: readonly string[];
}

export interface TraceSpan extends Named {
  readonly match: Expression | undefined;
  readonly spanName: Expression | undefined;
  readonly tags: ComputedMap;
  readonly handlers: readonly string[];
}

export interface Rule extends Deciding {
  readonly spec: RuleSpec;
  readonly match: Expression | undefined;
  readonly variety: "check" | "report";
  readonly actions: readonly RuleAction[];
  readonly mode: EnforcementMode;
  readonly onError: "deny" | "allow";
}

export interface RuleAction {
  readonly handler: string;
  readonly instances: readonly RuleInstance[];
}

export interface RuleInstance {
  readonly name: string;
  readonly template: TemplateName;
  readonly params: readonly (readonly [field: string, value: Computed | ComputedMap])[];
}

export interface HandlerDeclaration extends Named {
  readonly definition: AdapterDefinition | PluginDefinition;
  /** The module of the definition, as written; absent for a bundled extension. */
  readonly from?: string;
  /** Checked, defaults filled in. */
  readonly config: unknown;
  /** The thread in which the adapter's code runs. */
  readonly isolation: "none" | "thread";
  /** Handlers with equal signatures (definition, config and delivery) are kept across snapshots. */
  readonly signature: string;
  readonly delivery: HandlerDeliverySettings;
}

export interface DeliverySettings {
  /** Maximum number of instances in a batch. */
  readonly batchSize: number;
  /** Maximum size of a batch, measured as the JSON of its instances; default unlimited. */
  readonly batchBytes?: number;
  readonly lingerMs: number;
  /** Maximum number of instances that wait in memory. */
  readonly queueSize: number;
  /** Maximum number of tries of a batch; infinite with at-least-once. */
  readonly attempts: number;
  readonly timeoutMs: number;
}

/** A Handler's delivery. */
export interface HandlerDeliverySettings extends DeliverySettings {
  readonly class: "at-most-once" | "at-least-once";
  readonly overflow: "drop-oldest" | "drop-newest" | "spill";
  /** Maximum number of instances in a batch while more than `batchSize` wait. */
  readonly maxBatchSize: number;
  /** Maximum number of calls under way where the adapter allows several. */
  readonly inFlight: number;
  readonly spool?: SpoolSettings;
}

export interface SpoolSettings {
  /** As written: relative to the document's folder. */
  readonly directory: string;
  readonly maxBytes: number;
  readonly fsync: "interval" | "always";
  readonly onDiskFailure: "memory" | "drop";
}

export interface TrafficDocuments {
  /** From the MeshConfig; the form in which policies, routes and upstreams see paths. */
  readonly pathNormalization: PathNormalization;
  /** From the MeshConfig; the limits of every listener, with their defaults. */
  readonly limits: ListenerLimits;
  /** From the MeshConfig; absent when it sets none. */
  readonly tracing?: ListenerTracing;
  /** From the MeshConfig; absent when it sets none. */
  readonly rateLimitHeaders?: RateLimitSettings;
  /** From the MeshConfig: whether connections to the edge begin with a header of the PROXY protocol; absent: no. */
  readonly proxyProtocol?: boolean;
  /** From the MeshConfig. */
  readonly rootNamespace: string;
  readonly serviceEntries: readonly TrafficDocument<ServiceEntrySpec>[];
  readonly workloadEntries: readonly TrafficDocument<WorkloadEntrySpec>[];
  readonly virtualServices: readonly TrafficDocument<VirtualServiceSpec>[];
  readonly destinationRules: readonly TrafficDocument<DestinationRuleSpec>[];
  readonly sidecars: readonly TrafficDocument<SidecarSpec>[];
  readonly gateways: readonly TrafficDocument<GatewaySpec>[];
  readonly overloads: readonly TrafficDocument<OverloadSpec>[];
  readonly healthChecks: readonly TrafficDocument<HealthCheckSpec>[];
  readonly peerAuthentications: readonly TrafficDocument<PeerAuthenticationSpec>[];
  /** From the MeshConfig: the mesh's trust domain, then its aliases. */
  readonly trustDomains: readonly [string, ...string[]];
  readonly requestAuthentications: readonly TrafficDocument<RequestAuthenticationSpec>[];
  /** Absent: no documents of Kubernetes. */
  readonly kubernetes?: KubernetesDocuments;
  /** Absent: no documents of the Gateway API. */
  readonly gatewayApi?: GatewayApiDocuments;
}

/** Documents of Kubernetes' Gateway API, which pilot translates to Istio's kinds. */
export interface GatewayApiDocuments {
  readonly gateways: readonly TrafficDocument<KubernetesGatewaySpec>[];
  readonly httpRoutes: readonly TrafficDocument<HttpRouteDocSpec>[];
  readonly grpcRoutes: readonly TrafficDocument<GrpcRouteDocSpec>[];
  readonly tlsRoutes: readonly TrafficDocument<TlsRouteDocSpec>[];
  readonly tcpRoutes: readonly TrafficDocument<TcpRouteDocSpec>[];
  readonly referenceGrants: readonly TrafficDocument<ReferenceGrantSpec>[];
}

/** Kubernetes' own documents: each `spec` is the whole document. */
export interface KubernetesDocuments {
  readonly services: readonly TrafficDocument<ServiceDocument>[];
  readonly endpointSlices: readonly TrafficDocument<EndpointSliceDocument>[];
  readonly endpoints: readonly TrafficDocument<EndpointsDocument>[];
  readonly pods: readonly TrafficDocument<PodDocument>[];
  /** The locality is in the labels. */
  readonly nodes: readonly TrafficDocument<object>[];
}

export interface TrafficDocument<S> {
  readonly metadata: Metadata;
  readonly location: SourceLocation;
  readonly spec: S;
}
