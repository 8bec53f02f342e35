// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { GATEWAY_NAME_LABEL } from "../../documents/kinds/target-refs.ts";
import { allOf, anyOf, attributePath, literal, not } from "./condition-text.ts";

/** The workloads that a document of the mesh protects. */
export interface WorkloadScope {
  /** Undefined for every namespace: a document of the root namespace. */
  readonly namespace: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Condition that a request is for one of the workloads, or passes an edge that is one of them; undefined when it holds for
 * every request. A policy protects the workload in front of which its proxy stands, so the edge is a workload too.
 */
export function scopeCondition({ namespace, labels }: WorkloadScope): string | undefined {
  if (namespace === undefined && Object.keys(labels).length === 0) return undefined;
  const of = (...root: readonly string[]): string =>
    allOf([
      ...(namespace === undefined
        ? []
        : [`${attributePath([...root, "namespace"])} = ${literal(namespace)}`]),
      ...Object.entries(labels).map(
        ([name, value]) => `${attributePath([...root, "labels", name])} = ${literal(value)}`,
      ),
    ]);
  return anyOf([of("destination"), of("context", "gateway")]);
}

/** Condition that a request passes an edge of one of the Gateways: an edge without the label serves every Gateway. */
export function edgeCondition(gateways: readonly string[]): string {
  const label = attributePath(["context", "gateway", "labels", GATEWAY_NAME_LABEL]);
  const edge = `$exists(${attributePath(["context", "gateway", "namespace"])})`;
  return allOf([
    edge,
    anyOf([not(`$exists(${label})`), ...gateways.map((name) => `${label} = ${literal(name)}`)]),
  ]);
}
