// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyNode } from "../../api/pilot-service.ts";
import { EDGE_LABELS, type Labels } from "../../core/traffic/labels.ts";

/** The workload of a proxy, by which documents with a workloadSelector are chosen. */
export interface Workload {
  readonly namespace: string;
  readonly labels: Labels;
}

/** The labels of a proxy's workload. */
export function labelsOf(node: ProxyNode): Labels {
  return node.role === "edge" ? { ...EDGE_LABELS, ...node.labels } : (node.labels ?? {});
}
