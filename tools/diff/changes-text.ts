// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type DocumentChange, shortChange } from "../../core/changes/document-changes.ts";

/** Longest value that is shown, in UTF-16 units. */
const MAX_VALUE_LENGTH = 120;

/** The changes between two sets for people: a line for each document, and below it the changed fields. */
export function changesText(changes: readonly DocumentChange[]): string {
  if (changes.length === 0) return "no document differs\n";
  return `${changes.flatMap(linesOf).join("\n")}\n`;
}

function linesOf(change: DocumentChange): readonly string[] {
  const { document, fields, weakening } = change;
  const { file, line } = document.location;
  return [
    `${shortChange(change)}  ${file}:${line}`,
    ...(weakening === undefined ? [] : [`    ! less is refused: ${weakening}`]),
    ...fields.map(
      ({ field, before, after }) =>
        `    ${field === "" ? "spec" : field}: ${shown(before)} → ${shown(after)}`,
    ),
  ];
}

function shown(value: unknown): string {
  if (value === undefined) return "(absent)";
  const text = JSON.stringify(value);
  return text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH)}…`;
}
