// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { counted, type PartFacts, percent, type Proposal, type Suggestion } from "./suggestion.ts";

/** The suggestion as plain text. */
export function suggestionText(suggestion: Suggestion): string {
  const { requests, unchecked, first, last, split, searched, heldOut, policy, proposals } = suggestion;
  const { malformed, warnings } = suggestion;
  const lines = [
    `${counted(requests, "request")}, from ${first} to ${last}; ${policy.algorithm}, window ${policy.window}`,
    ...(unchecked === 0
      ? []
      : [
          `${counted(unchecked, "request")} ${unchecked === 1 ? "was" : "were"} not checked at the recording proxy: left out`,
        ]),
    ...(malformed.count === 0
      ? []
      : [
          `${counted(malformed.count, "line")} ${malformed.count === 1 ? "is" : "are"} malformed and left out:`,
        ]),
    ...malformed.first.map(({ where, problem }) => `  ${where}: ${problem}`),
    `  searched, before ${split}: ${partText(searched)}`,
    `  held out, the rest: ${partText(heldOut)}`,
    "",
    ...table([
      ["refuse at most", "limit", "requests: searched", "held out", "keys: searched", "held out"],
      ...proposals.map(row),
    ]),
    ...(warnings.length === 0 ? [] : ["", ...warnings.map((warning) => `warning: ${warning}`)]),
  ];
  return `${lines.map(visible).join("\n")}\n`;
}

function partText({ charges, keys, windows }: PartFacts): string {
  return `${counted(charges, "request")} of ${counted(keys, "key")} in ${windows.toFixed(1)} windows`;
}

function row({ share, of, limit, searched, heldOut }: Proposal): readonly string[] {
  const checked = (part: "requests" | "keys") => (heldOut === undefined ? "-" : percent(heldOut[part]));
  return [
    `${percent(share)} of ${of}`,
    number(limit),
    percent(searched.requests),
    checked("requests"),
    percent(searched.keys),
    checked("keys"),
  ];
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  return rows.map((cells) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  "),
  );
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}

/** Escapes control characters: paths in messages come from the command line, and faults from requests. */
function visible(line: string): string {
  return line.replace(
    /[\p{C}\u2028\u2029]/gu,
    (character) => `\\u${(character.codePointAt(0) as number).toString(16).padStart(4, "0")}`,
  );
}
