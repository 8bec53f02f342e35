// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Speeds of one core, by which a mesh is provisioned. */
export interface Speeds {
  /** Charges that a shard of Redis decides for busy mixers. */
  readonly shardDecisionsPerS: number;
  /** Calls that a mixer on one core answers. */
  readonly mixerCallsPerS: number;
}

/** The part of its speed to which a core is loaded: the rest is for bursts and for the failure of another. */
const USE = 0.5;

export interface Provision {
  /** Mixers with a core each. */
  readonly mixers: number;
  /** Shards of Redis with a core each. */
  readonly shards: number;
  /** Whether the busiest key fits on a shard: a key cannot be divided. */
  readonly hot_key_fits: boolean;
}

/** The least number of cores for the calls, at half of their speed. */
export function provisionOf(
  { callsPerS, hotKeyCallsPerS }: { readonly callsPerS: number; readonly hotKeyCallsPerS: number },
  { shardDecisionsPerS, mixerCallsPerS }: Speeds,
): Provision {
  return {
    mixers: Math.max(1, Math.ceil(callsPerS / (mixerCallsPerS * USE))),
    shards: Math.max(1, Math.ceil(callsPerS / (shardDecisionsPerS * USE))),
    hot_key_fits: hotKeyCallsPerS <= shardDecisionsPerS * USE,
  };
}
