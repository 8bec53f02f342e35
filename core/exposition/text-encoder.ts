// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Exemplar, ExposedFamily, ExposedHistogram, ExposedSeries } from "./family.ts";
import { boundText, numberText } from "./numbers.ts";

/** How a family is named in a text format. */
export interface TextDialect {
  /** The name and type of the comments. */
  commentsOf(family: ExposedFamily): { readonly name: string; readonly type: string };
  readonly openMetrics: boolean;
}

/** Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */
export const TEXT: TextDialect = { commentsOf: ({ name, type }) => ({ name, type }), openMetrics: false };

/**
 * OpenMetrics 1.0. There, the family of the counter `x_total` is `x`, and each counter's sample must end in `_total`. A counter
 * of another name, or one whose family would have the name of another family, gets the type `unknown`: its series keep their
 * names in every format, so that a scrape in another format begins no new series.
 *
 * @param names The names of all families of the page.
 */
export function openMetrics(names: ReadonlySet<string>): TextDialect {
  return {
    openMetrics: true,
    commentsOf({ name, type }) {
      if (type === "untyped") return { name, type: "unknown" };
      if (type !== "counter") return { name, type };
      const family = counterFamily(name);
      return family === undefined || names.has(family) ? { name, type: "unknown" } : { name: family, type };
    },
  };
}

/** The last line of a page of OpenMetrics. */
export const OPEN_METRICS_END = "# EOF\n";

function counterFamily(name: string): string | undefined {
  return name.endsWith("_total") && name.length > "_total".length
    ? name.slice(0, -"_total".length)
    : undefined;
}

/** The comments before a family's samples. */
export function textHead(family: ExposedFamily, dialect: TextDialect): string {
  const { help } = family;
  const { name, type } = dialect.commentsOf(family);
  const escaped = dialect.openMetrics ? escapedValue : escapedHelp;
  const helpLine = help === undefined ? "" : `# HELP ${name} ${escaped(help)}\n`;
  // Text without a type is untyped; a comment would say nothing more.
  const typeLine = type === "untyped" ? "" : `# TYPE ${name} ${type}\n`;
  return helpLine + typeLine;
}

/** The lines of one series. */
export function textOf(family: ExposedFamily, series: ExposedSeries, dialect: TextDialect): string {
  const { name } = family;
  const { labelNames, labels, histogram, summary, value, createdMs } = series;
  const own = labelText(labelNames, labels);
  const end = `${timestampText(series, dialect)}\n`;
  let text = "";
  if (histogram !== undefined) {
    text = bucketLines(name, own, histogram, end, dialect);
  } else if (summary !== undefined) {
    for (const { quantile, value: at } of summary.quantiles)
      text += `${name}${inBraces(`quantile="${boundText(quantile)}"`, own)} ${numberText(at)}${end}`;
  } else if (value !== undefined) {
    const { exemplar } = series;
    const isCounter =
      dialect.openMetrics && exemplar !== undefined && dialect.commentsOf(family).type === "counter";
    text = `${name}${inBraces(own, "")} ${numberText(value)}${isCounter ? withExemplar(exemplar, end) : end}`;
  }
  const parts = histogram ?? summary;
  if (parts?.sum !== undefined) text += `${name}_sum${inBraces(own, "")} ${numberText(parts.sum)}${end}`;
  if (parts?.count !== undefined)
    text += `${name}_count${inBraces(own, "")} ${numberText(parts.count)}${end}`;
  if (dialect.openMetrics && series.createdSample === true && createdMs !== undefined) {
    const comments = dialect.commentsOf(family);
    // Gauges have no beginning.
    if (comments.type === "counter" || parts !== undefined)
      text += `${comments.name}_created${inBraces(own, "")} ${createdMs / 1000}\n`;
  }
  return text;
}

function bucketLines(
  name: string,
  own: string,
  { bounds, counts, exemplars }: ExposedHistogram,
  end: string,
  { openMetrics: isOpenMetrics }: TextDialect,
): string {
  let text = "";
  let count = 0;
  for (const [index, bound] of bounds.entries()) {
    count += counts[index] ?? 0;
    const exemplar = isOpenMetrics ? exemplars?.[index] : undefined;
    text += `${name}_bucket${inBraces(`le="${boundText(bound)}"`, own)} ${numberText(count)}${exemplar === undefined ? end : withExemplar(exemplar, end)}`;
  }
  return text;
}

/** Milliseconds in the text format, seconds in OpenMetrics. */
function timestampText({ timestampMs }: ExposedSeries, { openMetrics: isOpenMetrics }: TextDialect): string {
  if (timestampMs === undefined) return "";
  return ` ${isOpenMetrics ? timestampMs / 1000 : timestampMs}`;
}

function withExemplar({ labelNames, labels, value, timestampMs }: Exemplar, end: string): string {
  const text = labelText(labelNames, labels);
  return `${end.slice(0, -1)} # {${text}} ${numberText(value)} ${timestampMs / 1000}\n`;
}

function labelText(names: readonly string[], values: readonly string[]): string {
  let text = "";
  for (let index = 0; index < names.length; index++)
    text += `${index === 0 ? "" : ","}${names[index]}="${escapedValue(values[index] ?? "")}"`;
  return text;
}

function inBraces(first: string, second: string): string {
  if (first === "") return second === "" ? "" : `{${second}}`;
  return second === "" ? `{${first}}` : `{${first},${second}}`;
}

const SPECIAL = /[\\"\n]/;

function escapedValue(text: string): string {
  return SPECIAL.test(text) ? escapedHelp(text).replaceAll('"', '\\"') : text;
}

function escapedHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
