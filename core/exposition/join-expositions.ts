// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type ExposedFamily, type ExposedSeries, sampleCount } from "./family.ts";
import { sampleNames } from "./family-text.ts";
import { seriesKey } from "./parse-text.ts";

/** The metrics of one source. */
export interface Exposition {
  readonly source: string;
  readonly families: readonly ExposedFamily[];
}

/** Called while series are read, with samples that are left out because an earlier source has their series. */
export type LeaveOut = (source: string, family: string, samples: number) => void;

/** A source's part of a family. */
interface Part {
  readonly source: string;
  readonly family: ExposedFamily;
}

export interface JoinedExpositions {
  readonly families: readonly ExposedFamily[];
  /** Families that are left out whole. */
  readonly leftOut: readonly Part[];
}

/**
 * Joins several expositions into one that Prometheus accepts, since it rejects a whole page with a repeated
 * family or series. A family of several sources appears once, with the series of all of them. A later source
 * loses a series that an earlier source has, a family whose type differs from an earlier source's, and a
 * family whose sample names belong to another family.
 *
 * No series is read here, but when the joined families' are. Those of a single source are never compared.
 */
export function joinExpositions(sources: readonly Exposition[], leaveOut: LeaveOut): JoinedExpositions {
  const families = new Map<string, Part[]>();
  const claimed = new Set<string>();
  const leftOut: Part[] = [];
  for (const { source, families: given } of sources) {
    for (const family of given) {
      const joined = families.get(family.name);
      const part = { source, family };
      if (joined === undefined ? !claim(family, claimed) : joined[0]?.family.type !== family.type)
        leftOut.push(part);
      else if (joined === undefined) families.set(family.name, [part]);
      else joined.push(part);
    }
  }
  return { families: [...families.values()].map((parts) => joinedFamily(parts, leaveOut)), leftOut };
}

function joinedFamily(parts: readonly Part[], leaveOut: LeaveOut): ExposedFamily {
  const { family } = parts[0] as Part;
  if (parts.length === 1) return family;
  const help = parts.find((part) => part.family.help !== undefined)?.family.help;
  const series = { [Symbol.iterator]: () => distinctSeries(parts, leaveOut) };
  return { name: family.name, type: family.type, ...(help === undefined ? {} : { help }), series };
}

function* distinctSeries(parts: readonly Part[], leaveOut: LeaveOut): Generator<ExposedSeries> {
  const owners = new Owners();
  for (const { source, family } of parts) {
    for (const series of family.series) {
      const key = seriesKey(series);
      const owner = owners.get(key) ?? source;
      if (owner === source) {
        owners.set(key, source);
        yield series;
      } else leaveOut(source, family.name, sampleCount(series));
    }
  }
}

/** The source of each series. Many small Maps: a Map that grows holds the event loop while it moves 100,000 entries. */
class Owners {
  readonly #shards = Array.from({ length: 64 }, () => new Map<string, string>());

  get(key: string): string | undefined {
    return this.#shardOf(key).get(key);
  }

  set(key: string, source: string): void {
    this.#shardOf(key).set(key, source);
  }

  #shardOf(key: string): Map<string, string> {
    let hash = key.length;
    for (let index = 0; index < key.length; index++) hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0;
    return this.#shards[(hash >>> 8) & 63] as Map<string, string>;
  }
}

/** Claims the family's sample names; returns false when another family has one of them. */
function claim({ name, type }: ExposedFamily, claimed: Set<string>): boolean {
  const names = sampleNames(name, type);
  if (names.some((sample) => claimed.has(sample))) return false;
  for (const sample of names) claimed.add(sample);
  return true;
}
