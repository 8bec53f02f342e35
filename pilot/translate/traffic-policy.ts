// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DestinationRuleSpec, TrafficPolicySpec } from "../../core/documents/kinds/destination-rule.ts";

/** The traffic policy of one port, without the settings of others. */
export type PortPolicy = Omit<TrafficPolicySpec, "portLevelSettings">;

/**
 * The policy of a rule for one port of one subset, by Istio's rule: each field of the subset replaces the
 * rule's as a whole, and the settings of the port replace all fields that a port may have, also those that
 * they leave out.
 *
 * @param subset The subset's name; undefined for the whole service.
 */
export function trafficPolicyOf(
  rule: DestinationRuleSpec | undefined,
  subset: string | undefined,
  port: number,
): PortPolicy {
  const ofSubset = rule?.subsets?.find(({ name }) => name === subset)?.trafficPolicy;
  return overlaid(overlaid({}, rule?.trafficPolicy, port), ofSubset, port);
}

function overlaid(base: PortPolicy, over: TrafficPolicySpec | undefined, port: number): PortPolicy {
  if (over === undefined) return base;
  const { portLevelSettings = [], ...destinationLevel } = over;
  const merged: PortPolicy = { ...base, ...destinationLevel };
  const settings = portLevelSettings.find((candidate) => candidate.port.number === port);
  if (settings === undefined) return merged;
  const { retryBudget, proxyProtocol } = merged;
  const { port: _port, ...portLevel } = settings;
  return {
    ...portLevel,
    ...(retryBudget === undefined ? {} : { retryBudget }),
    ...(proxyProtocol === undefined ? {} : { proxyProtocol }),
  };
}
