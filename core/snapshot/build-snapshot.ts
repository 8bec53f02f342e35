// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Static, TSchema } from "typebox";
import { AUTHORIZATION_POLICY } from "../documents/kinds/authorization-policy.ts";
import type { Metadata } from "../documents/kinds/kind.ts";
import { DRY_RUN } from "./authorization/authorization-policies.ts";
import { attributesOf } from "../documents/set/attributes.ts";
import { documentsOf, type ParsedDocument, type ParsedFile } from "../documents/document.ts";
import { DocumentSet } from "../documents/set/document-set.ts";
import { compileExpressions } from "../documents/set/expressions.ts";
import { type ExtensionsFrom, type ResolvedHandler, resolveHandlers } from "../documents/set/handlers.ts";
import { authorizationDocuments } from "./authorization/authorization-documents.ts";
import { ACCESS_POLICY } from "../documents/kinds/access-policy.ts";
import { DESTINATION_RULE } from "../documents/kinds/destination-rule.ts";
import { GATEWAY } from "../documents/kinds/gateway.ts";
import { HANDLER, RULE } from "../documents/kinds/handler.ts";
import { TCP_ROUTE, TLS_ROUTE } from "../documents/kinds/gateway-api/connection-routes.ts";
import { KUBERNETES_GATEWAY } from "../documents/kinds/gateway-api/gateway.ts";
import { GRPC_ROUTE } from "../documents/kinds/gateway-api/grpc-route.ts";
import { HTTP_ROUTE } from "../documents/kinds/gateway-api/http-route.ts";
import { REFERENCE_GRANT } from "../documents/kinds/gateway-api/reference-grant.ts";
import { HEALTH_CHECK } from "../documents/kinds/health-check.ts";
import { displayName, type KindDefinition } from "../documents/kinds/kind.ts";
import { ENDPOINT_SLICE, ENDPOINTS } from "../documents/kinds/kubernetes/endpoints.ts";
import { NODE, POD } from "../documents/kinds/kubernetes/pod.ts";
import { SERVICE } from "../documents/kinds/kubernetes/service.ts";
import { listenerLimitsOf } from "../documents/kinds/listener-limits.ts";
import { DEFAULT_TRACING } from "../traffic/tracing.ts";
import {
  DEFAULT_ROOT_NAMESPACE,
  MESH_CONFIG,
  type MeshConfigSpec,
  trustDomainsOf,
  pathNormalizationOf,
} from "../documents/kinds/mesh-config.ts";
import { OVERLOAD } from "../documents/kinds/overload.ts";
import { PEER_AUTHENTICATION } from "../documents/kinds/peer-authentication.ts";
import { QUOTA_POLICY } from "../documents/kinds/quota-policy.ts";
import { REQUEST_AUTHENTICATION } from "../documents/kinds/request-authentication.ts";
import { SERVICE_ENTRY } from "../documents/kinds/service-entry.ts";
import { SIDECAR } from "../documents/kinds/sidecar.ts";
import { LOG_ENTRY, METRIC, TRACE_SPAN } from "../documents/kinds/telemetry.ts";
import { VIRTUAL_SERVICE } from "../documents/kinds/virtual-service.ts";
import { WORKLOAD_ENTRY } from "../documents/kinds/workload-entry.ts";
import { rateLimitSettingsOf } from "../documents/kinds/rate-limit-headers.ts";
import { faultsOfDraws } from "../documents/set/draws.ts";
import { faultsOfMeshConfig } from "../documents/set/mesh-config.ts";
import { partsWithoutEffect } from "../documents/set/no-effect.ts";
import { faultsOfMetricNames } from "../documents/set/metric-names.ts";
import { faultsOfReferences } from "../documents/set/references.ts";
import { faultsOfRule } from "../documents/set/rules.ts";
import { faultsOfPeerAuthentications } from "../documents/set/peer-authentications.ts";
import { faultsOfSidecars } from "../documents/set/sidecars.ts";
import { faultsOfConnectionRoutes } from "../documents/set/connection-routes.ts";
import { warningsOfGatewayApi } from "../documents/set/gateway-api.ts";
import { faultsOfGatewayPorts } from "../documents/set/gateway-ports.ts";
import { faultsOfGatewaySelectors } from "../documents/set/gateway-selectors.ts";
import { faultsOfTraffic } from "../documents/set/traffic-references.ts";
import type { CompileExpression, Expression } from "../expressions/expression.ts";
import type { ExtensionInventory } from "../hooks/extension.ts";
import { type Checked, compareDiagnostics, type Diagnostic } from "../../kernel/diagnostic.ts";
import { buildHandler, buildRule } from "./build-handlers.ts";
import { buildAccessPolicy, buildQuotaPolicy } from "./build-policies.ts";
import { buildLogEntry, buildMetric, buildTraceSpan } from "./build-telemetry.ts";
import { Fields } from "./fields.ts";
import type { WrittenDocument } from "./policy-document.ts";
import type { DocumentSummary, Snapshot, TrafficDocument } from "./snapshot.ts";

export interface SnapshotInput {
  /** In document order. */
  readonly files: readonly ParsedFile[];
  /** Faults before parsing, such as an unreadable file; they refuse the set like any other. */
  readonly diagnostics?: readonly Diagnostic[];
  /** A digest of the files. */
  readonly version: string;
  /** The attribute manifests that every set has. */
  readonly builtIn: readonly ParsedFile[];
  readonly compile: CompileExpression;
  readonly inventory: ExtensionInventory;
  /** Default: no Handler may name a module. */
  readonly extensionsFrom?: ExtensionsFrom;
  /** Whether a reference that a registry may yet resolve is an error; default: a warning. */
  readonly strict?: boolean;
}

const NO_MODULES: ExtensionsFrom = () => ({ ok: false, message: "Modules are not loaded here" });

/**
 * Compiles a set of documents, or refuses it as a whole with every fault and its location. Pure: the same
 * input gives the same set.
 */
export function buildSnapshot(input: SnapshotInput): Checked<Snapshot> {
  const { files, builtIn, compile, inventory, extensionsFrom = NO_MODULES } = input;
  const read = [...(input.diagnostics ?? []), ...[...builtIn, ...files].flatMap((file) => file.diagnostics)];
  const documents = files.flatMap((file) => file.documents);
  const set = new DocumentSet(documents, !read.some(({ code }) => HIDES_DOCUMENTS.has(code)));
  const extensions = resolveHandlers(documents, inventory, extensionsFrom);
  const attributes = attributesOf(
    builtIn.flatMap((file) => file.documents),
    documents,
    extensions.handlers,
  );
  const meshConfig = meshConfigOf(documents);
  const { rootNamespace = DEFAULT_ROOT_NAMESPACE } = meshConfig ?? {};
  const authorizations = authorizationDocuments(set, meshConfig);
  const known = { manifest: attributes.manifest, complete: attributes.complete && set.complete };
  const compiled = compileExpressions(documents, compile, known);
  const translated = compileExpressions(authorizations, compile, known);
  const diagnostics = [
    ...read,
    ...set.duplicates,
    ...extensions.diagnostics,
    ...attributes.diagnostics,
    ...compiled.diagnostics,
    // A suggestion would be an expression, which an AuthorizationPolicy does not have.
    ...translated.diagnostics.map(withoutSuggestion),
    ...documentsOf(documents, RULE).flatMap(faultsOfRule),
    ...faultsOfReferences(set, extensions.handlers),
    ...faultsOfDraws(set),
    ...faultsOfMetricNames(documents),
    ...faultsOfTraffic(set),
    ...warningsOfGatewayApi(set),
    ...faultsOfGatewayPorts(set.documents),
    ...faultsOfConnectionRoutes(set, rootNamespace),
    ...faultsOfGatewaySelectors(set.documents),
    ...faultsOfMeshConfig(documents),
    ...faultsOfSidecars(set, rootNamespace),
    ...partsWithoutEffect(documents, rootNamespace, pathNormalizationOf(meshConfig)),
    ...faultsOfPeerAuthentications(documents),
  ]
    .map((diagnostic) => (input.strict === true ? strictly(diagnostic) : diagnostic))
    .toSorted(compareDiagnostics);
  if (diagnostics.some(({ severity }) => severity === "error")) return { ok: false, diagnostics };
  const expressions = new Map([...compiled.expressions, ...translated.expressions]);
  const fieldsOf = (document: ParsedDocument) => fieldsOfDocument(document, expressions, set);
  return {
    ok: true,
    value: {
      attributes: attributes.manifest,
      ...assemble(input.version, documents, authorizations, extensions.handlers, fieldsOf),
    },
    warnings: diagnostics,
  };
}

function strictly(diagnostic: Diagnostic): Diagnostic {
  return STRICT_CODES.has(diagnostic.code) && diagnostic.severity === "warning"
    ? { ...diagnostic, severity: "error" }
    : diagnostic;
}

/** Codes of warnings that --strict makes errors. */
const STRICT_CODES: ReadonlySet<string> = new Set(["PURSER_REF_UNRESOLVED", "PURSER_DOC_NO_EFFECT"]);

/** Codes of faults that hide documents. */
const HIDES_DOCUMENTS: ReadonlySet<string> = new Set([
  "PURSER_DOC_SYNTAX",
  "PURSER_DOC_UNREADABLE",
  "PURSER_DOC_TOO_LARGE",
  "PURSER_DOC_ENVELOPE",
  "PURSER_DOC_UNKNOWN_KIND",
]);

/**
 * Fields of a document in a set without faults: every expression is compiled, and every reference resolved.
 */
function fieldsOfDocument(
  { metadata }: ParsedDocument,
  expressions: ReadonlyMap<string, Expression>,
  set: DocumentSet,
): Fields {
  return new Fields({
    expression: (source) => {
      const expression = expressions.get(source);
      if (expression === undefined) throw new Error(`An expression was not compiled: ${source}`);
      return expression;
    },
    handler: (reference) => displayNameOf(HANDLER.kind, reference),
    quotaPolicy: (reference) => displayNameOf(QUOTA_POLICY.kind, reference),
  });

  function displayNameOf(kind: string, reference: string): string {
    const target = set.resolve(kind, reference, metadata.namespace);
    if (target === undefined) throw new Error(`A reference was not resolved: ${reference}`);
    return displayName(target.metadata);
  }
}

function assemble(
  version: string,
  documents: readonly ParsedDocument[],
  authorizations: readonly ParsedDocument[],
  handlers: ReadonlyMap<ParsedDocument, ResolvedHandler>,
  fieldsOf: (document: ParsedDocument) => Fields,
): Omit<Snapshot, "attributes"> {
  const built = <S extends TSchema, T extends object>(
    definition: KindDefinition<S>,
    build: (written: WrittenDocument<Static<S>>, fields: Fields, document: ParsedDocument) => T,
  ) => {
    const of = (from: readonly ParsedDocument[], origin: { readonly authorization?: true }) =>
      documentsOf(from, definition).map((document) => {
        const written = { name: displayName(document.metadata), spec: document.spec as Static<S>, ...origin };
        return { ...build(written, fieldsOf(document), document), location: document.location };
      });
    return [...of(documents, {}), ...of(authorizations, { authorization: true })];
  };
  /** Pilot fills in the defaults of Istio's kinds. */
  const routing = <S extends TSchema>(definition: KindDefinition<S>): readonly TrafficDocument<Static<S>>[] =>
    documentsOf(documents, definition).map(({ metadata, location, spec }) => ({
      metadata,
      location,
      spec: spec as Static<S>,
    }));
  const meshConfig = meshConfigOf(documents);
  return {
    version,
    documents: documents.map(summaryOf),
    accessPolicies: built(ACCESS_POLICY, buildAccessPolicy),
    quotaPolicies: built(QUOTA_POLICY, buildQuotaPolicy),
    metrics: built(METRIC, buildMetric),
    logEntries: built(LOG_ENTRY, buildLogEntry),
    traceSpans: built(TRACE_SPAN, buildTraceSpan),
    rules: built(RULE, buildRule),
    handlers: built(HANDLER, (written, fields, document) =>
      buildHandler(written, handlers.get(document) as ResolvedHandler, document.location, fields),
    ),
    traffic: {
      pathNormalization: pathNormalizationOf(meshConfig),
      limits: listenerLimitsOf(meshConfig?.limits),
      ...(meshConfig?.gatewayTopology?.proxyProtocol === undefined ? {} : { proxyProtocol: true }),
      ...(meshConfig?.rateLimitHeaders === undefined
        ? {}
        : { rateLimitHeaders: rateLimitSettingsOf(meshConfig.rateLimitHeaders) }),
      ...(meshConfig?.tracing === undefined
        ? {}
        : { tracing: { ...DEFAULT_TRACING, ...meshConfig.tracing } }),
      rootNamespace: meshConfig?.rootNamespace ?? DEFAULT_ROOT_NAMESPACE,
      serviceEntries: routing(SERVICE_ENTRY),
      workloadEntries: routing(WORKLOAD_ENTRY),
      virtualServices: routing(VIRTUAL_SERVICE),
      destinationRules: routing(DESTINATION_RULE),
      sidecars: routing(SIDECAR),
      gateways: routing(GATEWAY),
      overloads: routing(OVERLOAD),
      healthChecks: routing(HEALTH_CHECK),
      peerAuthentications: routing(PEER_AUTHENTICATION),
      trustDomains: trustDomainsOf(meshConfig),
      requestAuthentications: routing(REQUEST_AUTHENTICATION),
      kubernetes: {
        services: routing(SERVICE),
        endpointSlices: routing(ENDPOINT_SLICE),
        endpoints: routing(ENDPOINTS),
        pods: routing(POD),
        nodes: routing(NODE),
      },
      gatewayApi: {
        gateways: routing(KUBERNETES_GATEWAY),
        httpRoutes: routing(HTTP_ROUTE),
        grpcRoutes: routing(GRPC_ROUTE),
        tlsRoutes: routing(TLS_ROUTE),
        tcpRoutes: routing(TCP_ROUTE),
        referenceGrants: routing(REFERENCE_GRANT),
      },
    },
  };
}

function withoutSuggestion(diagnostic: Diagnostic): Diagnostic {
  const { suggestion: _suggestion, ...others } = diagnostic;
  return others;
}

function meshConfigOf(documents: readonly ParsedDocument[]): MeshConfigSpec | undefined {
  return documentsOf(documents, MESH_CONFIG)[0]?.spec as MeshConfigSpec | undefined;
}

function summaryOf({ definition, metadata, location, spec }: ParsedDocument): DocumentSummary {
  const effective = effectiveMetadata(definition.kind, metadata);
  return {
    kind: definition.kind,
    namespace: metadata.namespace,
    name: metadata.name,
    location,
    spec,
    ...(Object.keys(effective).length === 0 ? {} : { metadata: effective }),
  };
}

/** Labels and annotations that are not only for people: a policy's dry run, and the labels that select a workload. */
function effectiveMetadata(
  kind: string,
  { labels, annotations }: Metadata,
): NonNullable<DocumentSummary["metadata"]> {
  if (kind === WORKLOAD_ENTRY.kind && Object.keys(labels).length > 0) return { labels };
  const dryRun = annotations[DRY_RUN];
  return kind === AUTHORIZATION_POLICY.kind && dryRun !== undefined
    ? { annotations: { [DRY_RUN]: dryRun } }
    : {};
}
