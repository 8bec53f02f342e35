// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Prometheus text of one source. */
export interface Exposition {
  readonly source: string;
  readonly text: string;
}

/** Samples left out of the joined text, because an earlier source has their series. */
export interface LeftOut {
  readonly source: string;
  readonly family: string;
  readonly samples: number;
}

/** A metric family of one source, or joined from several: its comments, and its samples in order. */
interface Family {
  readonly name: string;
  help?: string;
  type?: string;
  readonly samples: string[];
}

interface JoinedFamily extends Family {
  /** The source of each series; set when a second source has the family. */
  owners?: Map<string, string>;
  readonly first: string;
}

const COMMENT = /^#[ \t]+(HELP|TYPE)[ \t]+([^ \t]+)[ \t]*(.*)$/;
const LABEL = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*,?/y;

/** The label that distinguishes the samples of one series, by family type. */
const PART_LABEL: Readonly<Record<string, string>> = { histogram: "le", summary: "quantile" };
const PART_SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  histogram: ["_bucket", "_sum", "_count"],
  summary: ["_sum", "_count"],
};

/**
 * Joins several expositions into one that Prometheus accepts, since it rejects a whole text with a repeated
 * family or series. A family of several sources appears once, with the series of all of them. A later source
 * loses a series that an earlier source has, a family whose type differs from an earlier source's, and a
 * family whose sample names belong to another family.
 *
 * Format: Prometheus text 0.0.4. The families of a single source are copied without looking at their series.
 */
export function joinExpositions(sources: readonly Exposition[]): {
  readonly text: string;
  readonly leftOut: readonly LeftOut[];
} {
  const families = new Map<string, JoinedFamily>();
  const familyOfSample = new Map<string, string>();
  const leftOut: LeftOut[] = [];
  for (const { source, text } of sources) {
    for (const family of familiesIn(text)) {
      const joined = families.get(family.name);
      let samples = 0;
      if (joined !== undefined) samples = join(joined, family, source);
      else if (claim(family, familyOfSample)) families.set(family.name, { ...family, first: source });
      else samples = family.samples.length;
      if (samples > 0) leftOut.push({ source, family: family.name, samples });
    }
  }
  return { text: [...families.values()].map(textOf).join(""), leftOut };
}

function familiesIn(text: string): Iterable<Family> {
  const families = new Map<string, Family>();
  const open = (name: string): Family => {
    const family = families.get(name) ?? { name, samples: [] };
    families.set(name, family);
    return family;
  };
  let current: Family | undefined;
  for (const line of text.split("\n")) {
    if (line.startsWith("#")) {
      const [, keyword, name, rest = ""] = COMMENT.exec(line) ?? [];
      if (name === undefined) continue;
      current = open(name);
      if (keyword === "HELP") current.help ??= rest;
      else current.type ??= rest.trim();
    } else if (line.trim() !== "") {
      const name = sampleName(line);
      if (current === undefined || !sampleNames(current).includes(name)) current = open(name);
      current.samples.push(line);
    }
  }
  return families.values();
}

/** Adds the new series; returns the number of samples left out. */
function join(joined: JoinedFamily, family: Family, source: string): number {
  if ((joined.type ?? "untyped") !== (family.type ?? "untyped")) return family.samples.length;
  if (joined.help === undefined && family.help !== undefined) joined.help = family.help;
  joined.owners ??= new Map(joined.samples.map((sample) => [seriesOf(sample, joined.type), joined.first]));
  let leftOut = 0;
  for (const sample of family.samples) {
    const series = seriesOf(sample, family.type);
    const owner = joined.owners.get(series) ?? source;
    if (owner === source) {
      joined.owners.set(series, source);
      joined.samples.push(sample);
    } else leftOut++;
  }
  return leftOut;
}

/** Claims the family's sample names; returns false when another family has one of them. */
function claim(family: Family, familyOfSample: Map<string, string>): boolean {
  const names = sampleNames(family);
  if (names.some((name) => familyOfSample.has(name))) return false;
  for (const name of names) familyOfSample.set(name, family.name);
  return true;
}

function sampleNames({ name, type = "" }: Family): readonly string[] {
  return [name, ...(PART_SUFFIXES[type] ?? []).map((suffix) => name + suffix)];
}

function sampleName(sample: string): string {
  const end = sample.search(/[{ \t]/);
  return end < 0 ? sample : sample.slice(0, end);
}

/** Identity of a sample's series within its family: its labels, in canonical order. */
function seriesOf(sample: string, type: string | undefined): string {
  const start = sample.indexOf("{");
  if (start < 0) return "";
  const labels: string[] = [];
  LABEL.lastIndex = start + 1;
  for (let label = LABEL.exec(sample); label !== null; label = LABEL.exec(sample)) {
    const [, name, value] = label;
    if (name !== PART_LABEL[type ?? ""]) labels.push(`${name}="${value}"`);
  }
  return labels.sort().join();
}

function textOf({ name, help, type, samples }: Family): string {
  const comments = [
    ...(help === undefined ? [] : [`# HELP ${name} ${help}`]),
    ...(type === undefined ? [] : [`# TYPE ${name} ${type}`]),
  ];
  return `${[...comments, ...samples].join("\n")}\n`;
}
