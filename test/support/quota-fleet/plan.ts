// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";

/** Algorithms of the policies whose uses time frees. */
export const FLEET_ALGORITHMS = ["fixed-window", "sliding-window", "sliding-log", "token-bucket"] as const;
export type FleetAlgorithm = (typeof FLEET_ALGORITHMS)[number];

/** Policies that govern each request of a fleet; at least one. */
export interface FleetPolicies {
  /** Each request uses 1, which is given back when the request fails. */
  readonly calls: boolean;
  /** Each request reserves an amount, and its end settles a part of it. */
  readonly tokens: boolean;
  /** Each request holds a slot while it runs. */
  readonly slots: boolean;
  readonly algorithm: FleetAlgorithm;
  readonly windowMs: number;
  /** Lease of calls and tokens, in milliseconds. */
  readonly leaseMs: number;
  readonly limit: number;
  /** Requests at a time; less than the limit. */
  readonly slotLimit: number;
}

/** The network between a proxy and its mixer. `repeats` delivers each call twice, as a retry does. */
export const LINKS = ["up", "slow", "repeats", "refuses", "loses calls", "loses replies"] as const;
export type Link = (typeof LINKS)[number];

/** The store, as a mixer sees it. */
export const STORE_CONDITIONS = ["up", "refuses", "loses replies"] as const;
export type StoreCondition = (typeof STORE_CONDITIONS)[number];

export type FleetAction =
  | { readonly kind: "start"; readonly proxy: number; readonly count: number }
  /** One running request ends, with that part of its reservation used. */
  | { readonly kind: "end"; readonly at: number; readonly part: number; readonly fails: boolean }
  | { readonly kind: "wait"; readonly ms: number }
  /** Requests shortly before the end of a window, and all that the limit admits after it: a lease that outlives it shows. */
  | { readonly kind: "cross"; readonly proxy: number; readonly beforeMs: number; readonly afterMs: number }
  /** A proxy dies with its requests and leases, and another takes its place. */
  | { readonly kind: "crash"; readonly proxy: number }
  | { readonly kind: "link"; readonly proxy: number; readonly to: Link; readonly forMs: number }
  | { readonly kind: "store"; readonly mixer: number; readonly to: StoreCondition; readonly forMs: number }
  /** A mixer dies with its calls under way, and another takes its place. */
  | { readonly kind: "restart"; readonly mixer: number }
  /** The hosts' wall clocks are set; time itself goes on. */
  | { readonly kind: "clock"; readonly byMs: number };

export interface FleetPlan {
  readonly policies: FleetPolicies;
  readonly proxies: number;
  readonly mixers: number;
  /** A call's way between a proxy and its mixer, and between a mixer and the store, in milliseconds. */
  readonly wayMs: number;
  readonly actions: readonly FleetAction[];
}

/** Amount that a request reserves of the policy for tokens. */
export const RESERVED = 10;

/** Lease of a slot, in milliseconds: the default of a document. */
export const SLOT_LEASE_MS = 10_000;

/** Random plans of a few proxies near their limits; every second one has no faults, so that its books must be exact. */
export function arbitraryPlans(): fc.Arbitrary<FleetPlan> {
  return fc.boolean().chain((faults) =>
    fc.record({
      policies: policies(),
      proxies: fc.integer({ min: 1, max: 3 }),
      mixers: fc.integer({ min: 1, max: 2 }),
      wayMs: fc.constantFrom(0, 0, 2, 20),
      actions: fc.array(action(faults), { minLength: 1, maxLength: 40 }),
    }),
  );
}

function policies(): fc.Arbitrary<FleetPolicies> {
  return fc
    .record({
      which: fc.integer({ min: 1, max: 7 }),
      algorithm: fc.constantFrom(...FLEET_ALGORITHMS),
      windowMs: fc.constantFrom(1_000, 10_000, 3_600_000),
      leaseMs: fc.constantFrom(0, 200, 1_000),
      limit: fc.constantFrom(20, 45, 100, 400),
      slotLimit: fc.integer({ min: 1, max: 4 }),
    })
    .map(({ which, ...others }) => ({
      ...others,
      calls: (which & 1) !== 0,
      tokens: (which & 2) !== 0,
      slots: (which & 4) !== 0,
    }));
}

function action(faults: boolean): fc.Arbitrary<FleetAction> {
  const proxy = fc.nat(2);
  const forMs = fc.integer({ min: 1, max: 3_000 });
  const kind = <K extends FleetAction["kind"]>(name: K) => fc.constant(name);
  const harmless = [
    {
      weight: 8,
      arbitrary: fc.record({
        kind: kind("start"),
        proxy,
        count: fc.oneof(
          { weight: 4, arbitrary: fc.integer({ min: 1, max: 6 }) },
          { weight: 1, arbitrary: fc.integer({ min: 10, max: 40 }) },
        ),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: kind("end"),
        at: fc.nat(50),
        part: fc.constantFrom(0, 0.3, 1),
        fails: fc.nat(4).map((drawn) => drawn === 0),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: kind("wait"),
        ms: fc.oneof(fc.nat(10), fc.nat(200), fc.nat(1_500), fc.nat(SLOT_LEASE_MS)),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: kind("cross"),
        proxy,
        beforeMs: fc.integer({ min: 1, max: 150 }),
        afterMs: fc.oneof(fc.nat(20), fc.nat(250)),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: kind("clock"), byMs: fc.integer({ min: -1e7, max: 1e7 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: kind("link"),
        proxy,
        to: fc.constantFrom<Link>("slow", "repeats"),
        forMs,
      }),
    },
  ];
  const harmful = [
    { weight: 2, arbitrary: fc.record({ kind: kind("crash"), proxy }) },
    { weight: 1, arbitrary: fc.record({ kind: kind("restart"), mixer: fc.nat(1) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: kind("link"), proxy, to: fc.constantFrom(...LINKS), forMs }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: kind("store"),
        mixer: fc.nat(1),
        to: fc.constantFrom(...STORE_CONDITIONS),
        forMs,
      }),
    },
  ];
  return fc.oneof(...harmless, ...(faults ? harmful : []));
}
