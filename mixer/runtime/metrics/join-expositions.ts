// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Prometheus text of one source. */
export interface Exposition {
  readonly source: string;
  readonly text: string;
}

/** Samples that the joined text lacks, because an earlier source has their series. */
export interface LeftOut {
  readonly source: string;
  readonly family: string;
  readonly samples: number;
}

/** Of one source, or joined from several: its comments, and its samples in order. */
interface Family {
  readonly name: string;
  help?: string;
  type?: string;
  readonly samples: string[];
}

interface JoinedFamily extends Family {
  /** Which source each series is from; made when a second source has the family. */
  owners?: Map<string, string>;
  readonly first: string;
}

const COMMENT = /^#[ \t]+(HELP|TYPE)[ \t]+([^ \t]+)[ \t]*(.*)$/;
const LABEL = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*,?/y;

/** The label that tells the samples of one series of such a family apart. */
const PART_LABEL: Readonly<Record<string, string>> = { histogram: "le", summary: "quantile" };
const PART_SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  histogram: ["_bucket", "_sum", "_count"],
  summary: ["_sum", "_count"],
};

/**
 * One text of several, such as a scraper takes: it refuses all of a text in which a family comes twice, or a series.
 * A family that several sources have comes once, with the series of all; a series that several have is the first's, and
 * so is a family of which they differ in the type, or whose samples have the names of another family's.
 *
 * Format: Prometheus text 0.0.4. Families of one source are taken as they are, without a look at their series.
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

/** Adds what is new; returns how many samples were not. */
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

/** Takes the names of the family's samples for it, unless another family has one of them. */
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

/** Which series of its family a sample is of: its labels, whatever their order. */
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
