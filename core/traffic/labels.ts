// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Labels of a workload or an endpoint, by name. */
export type Labels = Readonly<Record<string, string>>;

/** Every edge proxy has this label, as in Istio, and no other. */
export const EDGE_LABELS: Labels = { istio: "ingressgateway" };

/** Whether `labels` has every label of `selector` with its value. The empty selector selects everything. */
export function selects(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(
    ([name, value]) => Object.hasOwn(labels, name) && labels[name] === value,
  );
}

/** The labels that every one of several workloads has with the same value. */
export function commonLabels(all: readonly Labels[]): Labels {
  const [first = {}, ...others] = all;
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) =>
      others.every((labels) => selects({ [name]: value }, labels)),
    ),
  );
}
