// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { suggest } from "../../kernel/suggest.ts";
import { findKind, KINDS } from "./catalog.ts";
import { groupOf, writtenKind } from "./kinds/kind.ts";

/** Groups of Istio's, Purser's and the Gateway API: a document that is skipped there might have been a policy. */
const GUARDED_GROUPS = /^(purser\.dev|(.+\.)?istio\.io|gateway\.networking\.k8s\.io)$/;

const GROUPS: ReadonlySet<string> = new Set(
  KINDS.flatMap(({ apiVersions }) => apiVersions.map((apiVersion) => groupOf(apiVersion))),
);

/** Kinds of documents that are read, by the group of their apiVersion; the core group of Kubernetes is empty. */
const KINDS_OF_GROUP: ReadonlyMap<string, readonly string[]> = new Map(
  [...GROUPS].map((group) => [
    group,
    KINDS.filter(({ apiVersions }) => apiVersions.some((each) => groupOf(each) === group)).map(writtenKind),
  ]),
);

/**
 * Whether a document is of another program, such as a Deployment, so that --skip-foreign may skip it. Kinds and groups that
 * look like a misspelt one of Purser's or Istio's are not foreign: a policy must not be skipped for its spelling.
 */
export function isForeign(kind: string, apiVersion: unknown): boolean {
  if (typeof apiVersion !== "string" || apiVersion === "") return false;
  const group = groupOf(apiVersion);
  if (GUARDED_GROUPS.test(group)) return false;
  const own = KINDS_OF_GROUP.get(group);
  if (own !== undefined) return !own.includes(kind) && suggest(kind, own) === undefined;
  const near = suggest(group, GROUPS);
  if (near === undefined || near === "") return true;
  return findKind(kind) === undefined && suggest(kind, KINDS.map(writtenKind)) === undefined;
}
