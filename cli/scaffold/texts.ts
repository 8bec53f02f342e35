// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Reads a text of the folder `scaffolds/`, by its path there without `.txt`. */
export type ReadText = (path: string) => string;

/** @param folder The folder of Purser's package. */
export function readScaffold(folder: string): ReadText {
  return (path) => readFileSync(join(folder, "scaffolds", `${path}.txt`), "utf8");
}

/** A text with each `{{name}}` replaced by its value. */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{([\w@/]+)\}\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) throw new Error(`a scaffold names {{${name}}}, which has no value`);
    return value;
  });
}
