// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { RouteMatchSpec } from "../../../core/documents/kinds/gateway-api/http-route.ts";
import type { HttpMatchSpec } from "../../../core/documents/kinds/virtual-service-match.ts";

/** A condition on the path in Istio's form. A prefix of segments needs two: `/a` exactly, and what begins with `/a/`. */
export interface PathPart {
  readonly kind: "exact" | "prefix" | "regex";
  readonly path: string;
}

/** The conditions that a path match stands for. */
export function pathParts(match: RouteMatchSpec["path"] = {}): readonly PathPart[] {
  const { type = "PathPrefix", value = "/" } = match;
  if (type === "Exact") return [{ kind: "exact", path: value }];
  if (type === "RegularExpression") return [{ kind: "regex", path: value }];
  const segments = value.replace(/\/$/, "");
  if (segments === "") return [{ kind: "prefix", path: "/" }];
  return [
    { kind: "exact", path: segments },
    { kind: "prefix", path: `${segments}/` },
  ];
}

export function uriOf({ kind, path }: PathPart): Pick<HttpMatchSpec, "uri"> {
  // The prefix / holds for every request, also for the target * of OPTIONS.
  return kind === "prefix" && path === "/" ? {} : { uri: { [kind]: path } };
}
