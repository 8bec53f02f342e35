// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DecisionFigures, PolicyFigures } from "./measure-policies.ts";

export interface BenchReport {
  readonly policies: readonly PolicyFigures[];
  readonly decision: DecisionFigures;
  readonly bags: number;
  readonly machine: { readonly node: string; readonly cpu: string };
  /** Exceeded budgets, a sentence each. */
  readonly exceeded: readonly string[];
}

export interface Budgets {
  readonly budgetNs?: number;
  readonly budgetP99Us?: number;
}

/** Exceeded budgets; absent budgets are never exceeded. */
export function exceededBudgets(
  policies: readonly PolicyFigures[],
  decision: DecisionFigures,
  { budgetNs = Number.POSITIVE_INFINITY, budgetP99Us = Number.POSITIVE_INFINITY }: Budgets,
): readonly string[] {
  const slow = policies
    .filter(({ ns }) => ns > budgetNs)
    .map(({ kind, name, place, ns }) => `${place}: ${kind} ${name} takes ${ns} ns, more than ${budgetNs}`);
  if (decision.p99_us <= budgetP99Us) return slow;
  return [...slow, `The decision's p99 is ${decision.p99_us} µs, more than ${budgetP99Us}`];
}

/** The report as text, slowest documents first. */
export function formatReport({ policies, decision, bags, machine }: BenchReport): string {
  const widest = Math.max(0, ...policies.map(({ kind, name }) => kind.length + name.length + 1));
  const lines = policies
    .toSorted((a, b) => b.ns - a.ns)
    .map(({ kind, name, ns, faults, place }) => {
      const failing = faults === 0 ? "" : `  fails on ${faults} of ${bags} bags`;
      return `${`${kind} ${name}`.padEnd(widest)} ${String(ns).padStart(9)} ns  ${place}${failing}`;
    });
  return [
    ...lines,
    ...(lines.length === 0 ? ["no document has an expression"] : []),
    "",
    `whole decision: p50 ${decision.p50_us} µs, p99 ${decision.p99_us} µs, ${decision.allocated_bytes} bytes allocated`,
    `over ${decision.decisions} decisions of ${bags} bags, of which ${decision.allowed_bags} are allowed`,
    `Node.js ${machine.node}, ${machine.cpu}`,
    "",
  ].join("\n");
}
