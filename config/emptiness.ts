// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { KINDS } from "../core/documents/catalog.ts";
import type { ParsedFile } from "../core/documents/document.ts";
import { ACCESS_POLICY } from "../core/documents/kinds/access-policy.ts";
import { AUTHORIZATION_POLICY } from "../core/documents/kinds/authorization-policy.ts";
import { DESTINATION_RULE } from "../core/documents/kinds/destination-rule.ts";
import { EMPTY_SET } from "../core/documents/kinds/empty-set.ts";
import { GATEWAY } from "../core/documents/kinds/gateway.ts";
import { HANDLER, RULE } from "../core/documents/kinds/handler.ts";
import { HEALTH_CHECK } from "../core/documents/kinds/health-check.ts";
import { ENDPOINT_SLICE, ENDPOINTS } from "../core/documents/kinds/kubernetes/endpoints.ts";
import { NODE, POD } from "../core/documents/kinds/kubernetes/pod.ts";
import { SERVICE } from "../core/documents/kinds/kubernetes/service.ts";
import type { KindDefinition } from "../core/documents/kinds/kind.ts";
import { OVERLOAD } from "../core/documents/kinds/overload.ts";
import { PEER_AUTHENTICATION } from "../core/documents/kinds/peer-authentication.ts";
import { QUOTA_POLICY } from "../core/documents/kinds/quota-policy.ts";
import { REQUEST_AUTHENTICATION } from "../core/documents/kinds/request-authentication.ts";
import { SERVICE_ENTRY } from "../core/documents/kinds/service-entry.ts";
import { LOG_ENTRY, METRIC, TRACE_SPAN } from "../core/documents/kinds/telemetry.ts";
import { SIDECAR } from "../core/documents/kinds/sidecar.ts";
import { TCP_ROUTE, TLS_ROUTE } from "../core/documents/kinds/gateway-api/connection-routes.ts";
import { GATEWAY_CLASS, KUBERNETES_GATEWAY } from "../core/documents/kinds/gateway-api/gateway.ts";
import { GRPC_ROUTE } from "../core/documents/kinds/gateway-api/grpc-route.ts";
import { HTTP_ROUTE } from "../core/documents/kinds/gateway-api/http-route.ts";
import { REFERENCE_GRANT } from "../core/documents/kinds/gateway-api/reference-grant.ts";
import { VIRTUAL_SERVICE } from "../core/documents/kinds/virtual-service.ts";
import { WORKLOAD_ENTRY } from "../core/documents/kinds/workload-entry.ts";
import type { Diagnostic } from "../kernel/diagnostic.ts";
import type { FileSet } from "./read-files.ts";

// A volume that is unmounted leaves an empty folder behind, and a write on a full disk an empty file. Accepting
// that as a set without policies would open the mesh.

/**
 * The kinds that one part of the program works with. A set with none of them leaves that part nothing to do.
 */
export interface Purpose {
  /** Name of such documents in messages. */
  readonly name: string;
  readonly kinds: readonly string[];
}

export const POLICIES: Purpose = purpose("policies and telemetry", [
  ACCESS_POLICY,
  AUTHORIZATION_POLICY,
  QUOTA_POLICY,
  RULE,
  METRIC,
  LOG_ENTRY,
  TRACE_SPAN,
  HANDLER,
]);

export const ROUTES: Purpose = purpose("routes", [
  SERVICE_ENTRY,
  VIRTUAL_SERVICE,
  DESTINATION_RULE,
  GATEWAY,
  WORKLOAD_ENTRY,
  SIDECAR,
  HEALTH_CHECK,
  OVERLOAD,
  PEER_AUTHENTICATION,
  REQUEST_AUTHENTICATION,
  SERVICE,
  ENDPOINT_SLICE,
  ENDPOINTS,
  POD,
  NODE,
  GATEWAY_CLASS,
  KUBERNETES_GATEWAY,
  HTTP_ROUTE,
  GRPC_ROUTE,
  TLS_ROUTE,
  TCP_ROUTE,
  REFERENCE_GRANT,
]);

/** For commands that read documents of any kind. */
export const ANY_DOCUMENT: Purpose = purpose("documents", KINDS);

/** The facts about a set that decide whether it is empty. */
export interface SetContents {
  /**
   * Number of documents at or below each configured path, in each folder below it, and in each file with documents or without
   * any text.
   */
  readonly documents: ReadonlyMap<string, number>;
  readonly kinds: ReadonlySet<string>;
}

export function contentsOf(
  { places, files: read }: Pick<FileSet, "places" | "files">,
  files: readonly ParsedFile[],
): SetContents {
  const byFile = new Map(files.map(({ path, documents }) => [path, documents]));
  const count = (path: string): number => byFile.get(path)?.length ?? 0;
  return {
    documents: new Map([
      ...read
        .filter(({ path, text }) => count(path) > 0 || text.trim() === "")
        .map(({ path }) => [path, count(path)] as const),
      ...[...places].map(
        ([place, paths]) => [place, paths.reduce((sum, path) => sum + count(path), 0)] as const,
      ),
    ]),
    kinds: new Set(files.flatMap(({ documents }) => documents.map(({ definition }) => definition.kind))),
  };
}

/**
 * Faults of a set that is empty without an EmptySet document: a configured path without documents, a folder
 * or a file that had documents in the set in force and still exists without any (a file without any text: comments
 * may have taken their place on purpose), or no document for any of the purposes (for any
 * single purpose, if the set in force had documents for it). An EmptySet document declares the emptiness: of
 * its own folder, and for the purposes.
 */
export function faultsOfEmptiness(
  { documents, kinds }: SetContents,
  paths: readonly string[],
  purposes: readonly Purpose[],
  inForce: SetContents | undefined,
): readonly Diagnostic[] {
  const emptied = [...documents].filter(([place, count]) => {
    const had = (inForce?.documents.get(place) ?? 0) > 0;
    return count === 0 && (had || paths.includes(place));
  });
  if (emptied.length > 0)
    return emptied.map(([place]) =>
      fault(
        place,
        inForce === undefined ? "There are no documents here" : "There are no documents here any more",
      ),
    );
  if (kinds.has(EMPTY_SET.kind)) return [];
  const first = paths[0] ?? "";
  const serves = (set: ReadonlySet<string>, { kinds: served }: Purpose): boolean =>
    served.some((kind) => set.has(kind));
  if (!purposes.some((purpose) => serves(kinds, purpose))) {
    const wanted = purposes.flatMap((purpose) => purpose.kinds).join(", ");
    return [fault(first, `The set has no document that this process works with: ${wanted}`)];
  }
  return purposes
    .filter((purpose) => inForce !== undefined && serves(inForce.kinds, purpose) && !serves(kinds, purpose))
    .map(({ name, kinds: lost }) =>
      fault(first, `The set has no ${name} any more, which the set in force has: ${lost.join(", ")}`),
    );
}

function purpose(name: string, kinds: readonly KindDefinition[]): Purpose {
  return { name, kinds: kinds.map(({ kind }) => kind) };
}

function fault(file: string, message: string): Diagnostic {
  return { severity: "error", code: "PURSER_CONFIG_EMPTY", location: { file, line: 1, column: 1 }, message };
}
