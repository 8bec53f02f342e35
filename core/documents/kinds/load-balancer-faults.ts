// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { parseDurationMs } from "../../../kernel/duration.ts";
import { isMaglevTableSize } from "../../traffic/balancing/picker-maglev.ts";
import { LOCALITY_LABELS, LOCALITY_WILDCARD_PATTERN, localitiesOverlap } from "../../traffic/locality.ts";
import type { LoadBalancerSpec, LocalityLbSettingSpec } from "./load-balancer.ts";

type Path = readonly (string | number)[];
type ConsistentHashSpec = NonNullable<LoadBalancerSpec["consistentHash"]>;
/** The part of it that names the value of a request. */
export type HashSourceSpec = Pick<ConsistentHashSpec, (typeof HASH_KEYS)[number]>;

/** Checks of a `loadBalancer` beyond its schema. */
export function loadBalancerFaults(spec: LoadBalancerSpec | undefined, path: Path): readonly SpecFault[] {
  if (spec === undefined) return [];
  const { simple, consistentHash, localityLbSetting } = spec;
  const faults: SpecFault[] = [];
  if (simple !== undefined && consistentHash !== undefined)
    faults.push({ path: [...path, "simple"], message: "simple and consistentHash exclude each other" });
  faults.push(
    ...hashFaults(consistentHash, [...path, "consistentHash"]),
    ...warmupFaults(spec, path),
    ...localityFaults(localityLbSetting, [...path, "localityLbSetting"]),
  );
  return faults;
}

const HASH_KEYS = ["httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"] as const;
const ALGORITHMS = ["ringHash", "maglev", "minimumRingSize"] as const;

function hashFaults(spec: ConsistentHashSpec | undefined, path: Path): readonly SpecFault[] {
  if (spec === undefined) return [];
  const faults: SpecFault[] = [...hashSourceFaults(spec, path)];
  const algorithms = ALGORITHMS.filter((algorithm) => spec[algorithm] !== undefined);
  if (algorithms.length > 1)
    faults.push({ path, message: `${algorithms.join(" and ")} exclude each other; write one of them` });
  const tableSize = spec.maglev?.tableSize;
  if (tableSize !== undefined && !isMaglevTableSize(tableSize)) {
    const message = `The table size must be a prime, such as ${nextTableSize(tableSize)}`;
    faults.push({ path: [...path, "maglev", "tableSize"], message });
  }
  return faults;
}

/** Checks of the fields that name the value of a request; `path` ends with the name of their parent. */
export function hashSourceFaults(spec: HashSourceSpec, path: Path): readonly SpecFault[] {
  const keys = HASH_KEYS.filter((key) => spec[key] !== undefined && spec[key] !== false);
  if (keys.length === 1) return cookieAttributeFaults(spec, path);
  const given = keys.length === 0 ? "none" : keys.join(" and ");
  const message = `${path.at(-1)} needs exactly one of ${HASH_KEYS.join(", ")}; this one has ${given}`;
  return [{ path, message }, ...cookieAttributeFaults(spec, path)];
}

/** Attributes that other fields write, in lower case. */
const OWN_ATTRIBUTES: Readonly<Record<string, string>> = {
  path: "is written by the field path",
  "max-age": "is written by the field ttl",
  httponly: "is always written",
};

function cookieAttributeFaults(spec: HashSourceSpec, path: Path): readonly SpecFault[] {
  const names = (spec.httpCookie?.attributes ?? []).map(({ name }) => name.toLowerCase());
  return names.flatMap((name, index) => {
    const own = Object.hasOwn(OWN_ATTRIBUTES, name) ? OWN_ATTRIBUTES[name] : undefined;
    const problem = own ?? (names.indexOf(name) < index ? "is listed twice" : undefined);
    return problem === undefined
      ? []
      : [
          {
            path: [...path, "httpCookie", "attributes", index, "name"],
            message: `The cookie's attribute ${JSON.stringify(name)} ${problem}`,
          },
        ];
  });
}

function warmupFaults(spec: LoadBalancerSpec, path: Path): readonly SpecFault[] {
  const field = spec.warmup === undefined ? "warmupDurationSecs" : "warmup";
  if (spec[field] === undefined) return [];
  const faults: SpecFault[] = [];
  if (spec.warmup !== undefined && spec.warmupDurationSecs !== undefined) {
    const message = "warmupDurationSecs is the old form of warmup.duration; write only warmup";
    faults.push({ path: [...path, "warmupDurationSecs"], message });
  }
  if (spec.consistentHash !== undefined || spec.simple === "RANDOM")
    faults.push({ path: [...path, field], message: "Only LEAST_REQUEST and ROUND_ROBIN have a slow start" });
  const duration = spec.warmup?.duration ?? spec.warmupDurationSecs ?? "";
  if ((parseDurationMs(duration) ?? 0) < 1_000) {
    const at = field === "warmup" ? ["warmup", "duration"] : [field];
    faults.push({ path: [...path, ...at], message: "The slow start must last at least 1s" });
  }
  return faults;
}

const LOCALITY_MODES = ["distribute", "failover", "failoverPriority"] as const;

function localityFaults(spec: LocalityLbSettingSpec | undefined, path: Path): readonly SpecFault[] {
  if (spec === undefined) return [];
  const { distribute = [], failover = [], failoverPriority = [] } = spec;
  const faults: SpecFault[] = [];
  const modes = LOCALITY_MODES.filter((mode) => spec[mode] !== undefined);
  if (modes.length > 1)
    faults.push({ path, message: `${modes.join(" and ")} exclude each other; write one of them` });
  distribute.forEach(({ from, to }, index) => {
    const at = [...path, "distribute", index];
    if (distribute.findIndex((other) => localitiesOverlap(other.from, from)) < index)
      faults.push({ path: [...at, "from"], message: `${from} overlaps with an earlier from` });
    faults.push(...shareFaults(to, [...at, "to"]));
  });
  failover.forEach(({ from, to }, index) => {
    const at = [...path, "failover", index];
    if (from === to) faults.push({ path: [...at, "to"], message: "A region cannot fail over to itself" });
    if (failover.findIndex((other) => other.from === from) < index)
      faults.push({ path: [...at, "from"], message: `The region ${from} is listed twice` });
  });
  failoverPriority.forEach((entry, index) => {
    const message = priorityFault(failoverPriority, entry, index);
    if (message !== undefined) faults.push({ path: [...path, "failoverPriority", index], message });
  });
  return faults;
}

function shareFaults(to: Readonly<Record<string, number>>, path: Path): readonly SpecFault[] {
  const localities = Object.keys(to);
  const faults: SpecFault[] = localities.flatMap((locality, index) => {
    const message = !new RegExp(LOCALITY_WILDCARD_PATTERN).test(locality)
      ? `${JSON.stringify(locality)} is not a locality such as region/zone/subzone, region/zone/*, region/* or *`
      : localities.findIndex((other) => localitiesOverlap(other, locality)) < index
        ? `${locality} overlaps with another locality of this map`
        : undefined;
    return message === undefined ? [] : [{ path: [...path, locality], message }];
  });
  const sum = Object.values(to).reduce((total, share) => total + share, 0);
  return sum === 100
    ? faults
    : [...faults, { path, message: `The shares must sum to 100; these are ${sum}` }];
}

/** Istio's label of the network, first in its documentation's example of failoverPriority. */
const NETWORK_LABEL = "topology.istio.io/network";

function priorityFault(all: readonly string[], entry: string, index: number): string | undefined {
  const [key = ""] = entry.split("=", 1);
  if (all.findIndex((other) => other.split("=", 1)[0] === key) < index)
    return `The label ${key} is listed twice`;
  if (entry.includes("=")) return key === "" ? "A label's name is missing before =" : undefined;
  // No proxy has a network, so that every endpoint without one is equal in it, as in Istio.
  return key === NETWORK_LABEL || LOCALITY_LABELS.some((label) => label === key)
    ? undefined
    : `A proxy has no label ${key}, only ${LOCALITY_LABELS.join(", ")}; write ${key}=VALUE`;
}

/** The greatest size is a prime, so the search ends there at the latest. */
function nextTableSize(from: number): number {
  let size = from;
  while (!isMaglevTableSize(size)) size++;
  return size;
}
