// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PilotService } from "../../api/pilot-service.ts";
import type { ClusterLoadAssignment, Endpoint } from "../../core/traffic/resources/endpoint.ts";
import {
  isSameResource,
  type ResourceSet,
  type TrafficUpdate,
} from "../../core/traffic/resources/resource-set.ts";
import type { Cancel, Runtime } from "../../kernel/ports.ts";
import type { NameLookup } from "./name-lookup.ts";
import { NameWatch } from "./name-watch.ts";

/**
 * An update with new names waits this long for their first answers, so that no route leads to a cluster that is
 * about to get its endpoints (Envoy's warming). Then it goes on, and requests for names without an address get 503.
 */
const WARMING_MS = 5_000;

/** Names that change at the same time become one update. */
const GATHERING_MS = 50;

/**
 * Pilot with endpoints whose names are looked up. The watcher gets addresses alone, and an update of its own
 * whenever a name has other ones.
 */
export function lookingUpNames(pilot: PilotService, lookUp: NameLookup, runtime: Runtime): PilotService {
  return {
    watch(subscription, listener) {
      const updates = new UpdatesWithAddresses(lookUp, runtime, listener);
      const stop = pilot.watch(subscription, (update) => updates.receive(update));
      return () => {
        stop();
        updates.close();
      };
    },
  };
}

class UpdatesWithAddresses {
  readonly #names: NameWatch;
  readonly #runtime: Runtime;
  readonly #listener: (update: TrafficUpdate) => void;
  /** The newest endpoints from pilot. */
  #endpoints: ResourceSet<ClusterLoadAssignment> | undefined;
  /** The newest set that the listener got. */
  #sent: ResourceSet<ClusterLoadAssignment> | undefined;
  /** Pilot's version of that set. */
  #sentVersion: string | undefined;
  /** The sets that wait for the names' first answers; undefined when none wait. */
  #waiting: TrafficUpdate | undefined;
  #cancelTimer: Cancel | undefined;
  /** Number of sets with other addresses, for their versions. */
  #changes = 0;

  constructor(lookUp: NameLookup, runtime: Runtime, listener: (update: TrafficUpdate) => void) {
    this.#runtime = runtime;
    this.#listener = listener;
    this.#names = new NameWatch(lookUp, runtime, () => this.#onAnswer());
  }

  receive(update: TrafficUpdate): void {
    const isFirst = this.#waiting === undefined;
    this.#waiting = { ...this.#waiting, ...update };
    if (update.endpoints !== undefined) {
      this.#endpoints = update.endpoints;
      this.#names.watch(namesOf(update.endpoints));
    }
    if (this.#names.isSettled || (isFirst && update.endpoints === undefined)) this.#send();
    else if (isFirst) this.#sendAfter(WARMING_MS);
  }

  close(): void {
    this.#cancelTimer?.();
    this.#names.close();
  }

  #onAnswer(): void {
    if (this.#waiting === undefined) {
      if (this.#cancelTimer === undefined) this.#sendAfter(GATHERING_MS);
    } else if (this.#names.isSettled) this.#send();
  }

  #sendAfter(delayMs: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#runtime.scheduler.after(delayMs, () => this.#send());
  }

  #send(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const update = this.#waiting ?? {};
    this.#waiting = undefined;
    const before = this.#sent;
    const endpoints = this.#endpoints === undefined ? undefined : this.#withAddresses(this.#endpoints);
    this.#sent = endpoints;
    this.#sentVersion = this.#endpoints?.version;
    if (endpoints !== undefined && (endpoints !== before || update.endpoints !== undefined))
      this.#listener({ ...update, endpoints });
    else if (Object.keys(update).length > 0) this.#listener(update);
  }

  /** The endpoints with their addresses; the set that was sent when it is the same. */
  #withAddresses(set: ResourceSet<ClusterLoadAssignment>): ResourceSet<ClusterLoadAssignment> {
    const sent = new Map(this.#sent?.resources.map((assignment) => [assignment.name, assignment] as const));
    let isSame = set.version === this.#sentVersion;
    let hasNames = false;
    const resources = set.resources.map((assignment) => {
      if (!assignment.endpoints.some(({ lookup }) => lookup !== undefined)) return assignment;
      hasNames = true;
      const resolved = { ...assignment, endpoints: this.#addressesOf(assignment.endpoints) };
      const before = sent.get(assignment.name);
      if (before !== undefined && isSameResource(before, resolved)) return before;
      isSame = false;
      return resolved;
    });
    if (!hasNames) return set;
    if (isSame && this.#sent !== undefined) return this.#sent;
    return { version: `${set.version}+dns.${++this.#changes}`, resources };
  }

  #addressesOf(endpoints: readonly Endpoint[]): readonly Endpoint[] {
    const found = new Set<string>();
    return endpoints.flatMap((endpoint) => {
      const { lookup, ...rest } = endpoint;
      if (lookup === undefined) return [endpoint];
      const answer = this.#names.addressesOf(rest.address);
      // In order of the addresses: DNS servers rotate their answers, which is no change.
      const addresses = lookup === "first" ? answer.slice(0, 1) : answer.toSorted();
      return addresses.flatMap((address) => {
        const key = `${address} ${rest.port}`;
        // Several names of one host are one endpoint, as in Envoy.
        if (found.has(key)) return [];
        found.add(key);
        return [{ ...rest, address }];
      });
    });
  }
}

function namesOf({ resources }: ResourceSet<ClusterLoadAssignment>): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { endpoints } of resources)
    for (const { address, lookup } of endpoints) if (lookup !== undefined) names.add(address);
  return names;
}
