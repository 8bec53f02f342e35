// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type ImportFlags, runImport } from "../../tools/import-ratelimit/run-import.ts";
import { writeAll } from "../output/write-all.ts";
import { checkText } from "../compose/part-config.ts";

/** Converts a configuration and prints its documents. */
export async function importConfig(config: string, flags: ImportFlags): Promise<void> {
  await runImport(config, flags, checkText, {
    documents: (text) => writeAll(process.stdout, text),
    notes: (text) => writeAll(process.stderr, text),
  });
}
