// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DestinationRuleSpec } from "../../core/documents/kinds/destination-rule.ts";
import type { TrafficDocument, TrafficDocuments } from "../../core/snapshot/snapshot.ts";
import { compareExactness, hostCovers } from "../../core/traffic/host-name.ts";
import { selects } from "../../core/traffic/labels.ts";
import type { Registry, Service } from "../registry/registry-static.ts";
import type { Workload } from "./workload.ts";

interface Rule {
  readonly host: string;
  readonly spec: DestinationRuleSpec;
}

/**
 * The DestinationRules of one proxy, by namespace. Istio's order: the proxy's own namespace, then the service's,
 * then the root namespace; the first of them with a rule for the service decides, and no other namespace is asked.
 * The root namespace does not come first for its own proxies: its rules are meant for the whole mesh, so that only those that
 * it does not export do.
 */
export class RuleLookup {
  readonly #client: string;
  readonly #root: string;
  /**
   * By namespace, in order of exactness of the host; rules with equal hosts in document order, but those with a
   * workloadSelector first.
   */
  readonly #rules: ReadonlyMap<string, readonly Rule[]>;
  readonly #ownRootRules: readonly Rule[];

  /** @param documents The documents that the proxy sees. */
  constructor({ destinationRules, rootNamespace }: TrafficDocuments, registry: Registry, client: Workload) {
    this.#client = client.namespace;
    this.#root = rootNamespace;
    const rules = new Map<string, Rule[]>();
    for (const document of destinationRules) {
      if (!appliesTo(client, document)) continue;
      const { metadata, spec } = document;
      const { namespace } = metadata;
      const rule = { host: registry.canonical(spec.host, namespace), spec };
      const inNamespace = rules.get(namespace);
      if (inNamespace === undefined) rules.set(namespace, [rule]);
      else inNamespace.push(rule);
    }
    for (const inNamespace of rules.values()) inNamespace.sort(compareRules);
    this.#rules = rules;
    const ofRoot = client.namespace === rootNamespace ? (rules.get(rootNamespace) ?? []) : [];
    this.#ownRootRules = ofRoot.filter(({ spec }) => isPrivate(spec, rootNamespace));
  }

  /**
   * The rule for a service; for a subset, the first rule that declares it, of the namespace that decides.
   */
  ruleOf(service: Service, subset: string | undefined): DestinationRuleSpec | undefined {
    const covers = ({ host }: Rule) => hostCovers(host, service.canonicalHost);
    const deciding = this.#namespaces(service).find((rules) => rules.some(covers));
    return deciding?.find(
      (rule) =>
        covers(rule) && (subset === undefined || rule.spec.subsets?.some(({ name }) => name === subset)),
    )?.spec;
  }

  #namespaces({ identity }: Service): readonly (readonly Rule[])[] {
    const rulesOf = (namespace: string) => this.#rules.get(namespace) ?? [];
    const own = this.#client === this.#root ? this.#ownRootRules : rulesOf(this.#client);
    return [own, rulesOf(identity.namespace), rulesOf(this.#root)];
  }
}

/** A rule with a workloadSelector is for workloads of its own namespace. */
function appliesTo(
  { namespace, labels }: Workload,
  { metadata, spec }: TrafficDocument<DestinationRuleSpec>,
): boolean {
  const selector = spec.workloadSelector?.matchLabels;
  return selector === undefined || (metadata.namespace === namespace && selects(selector, labels));
}

function compareRules(a: Rule, b: Rule): number {
  const selectors =
    Number(b.spec.workloadSelector !== undefined) - Number(a.spec.workloadSelector !== undefined);
  return compareExactness(a.host, b.host) || selectors;
}

/** Whether only the rule's own namespace sees it. */
function isPrivate({ exportTo, workloadSelector }: DestinationRuleSpec, namespace: string): boolean {
  return (
    workloadSelector !== undefined ||
    exportTo?.every((entry) => entry === "." || entry === namespace) === true
  );
}
