// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The formats in which Prometheus reads metrics. */
export type ExpositionFormat = "text" | "openmetrics" | "protobuf";

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  protobuf: "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
};

/** Longer Accept fields are answered with text. */
const MAX_ACCEPT_LENGTH = 2_048;

/**
 * The format for an Accept field (RFC 9110, section 12.5.1): of those that it names, the one with the greatest weight, and of equal
 * weights the first. Text when it names none, such as without the field, and for wildcards.
 */
export function formatFor(accept: string | undefined): ExpositionFormat {
  let best: ExpositionFormat = "text";
  let bestWeight = 0;
  if (accept === undefined || accept.length > MAX_ACCEPT_LENGTH) return best;
  for (const range of accept.split(",")) {
    const [type = "", ...rest] = range.split(";").map((part) => part.trim().toLowerCase());
    const parameters = new Map(rest.map((part) => splitParameter(part)));
    const format = formatOf(type, parameters);
    const weight = weightOf(parameters.get("q"));
    if (format === undefined || weight <= bestWeight) continue;
    best = format;
    bestWeight = weight;
  }
  return best;
}

function splitParameter(part: string): readonly [string, string] {
  const equals = part.indexOf("=");
  if (equals < 0) return [part, ""];
  return [
    part.slice(0, equals).trim(),
    part
      .slice(equals + 1)
      .trim()
      .replaceAll('"', ""),
  ];
}

function formatOf(type: string, parameters: ReadonlyMap<string, string>): ExpositionFormat | undefined {
  const version = parameters.get("version");
  switch (type) {
    case "text/plain":
      return version === undefined || version === "0.0.4" ? "text" : undefined;
    case "application/openmetrics-text":
      return version === undefined || version === "1.0.0" ? "openmetrics" : undefined;
    case "application/vnd.google.protobuf": {
      const isFamily = parameters.get("proto") === "io.prometheus.client.metricfamily";
      return isFamily && parameters.get("encoding") === "delimited" ? "protobuf" : undefined;
    }
    default:
      return undefined;
  }
}

/** A weight of 1 by default; 0, which excludes the format, when it cannot be read. */
function weightOf(text: string | undefined): number {
  if (text === undefined) return 1;
  const weight = Number(text);
  return weight >= 0 && weight <= 1 ? weight : 0;
}
