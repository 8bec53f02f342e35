// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigRejected } from "../../config/config-rejected.ts";
import { DEFAULT_SIZE_LIMITS, readFiles } from "../../config/read-files.ts";
import type { DocumentFile } from "../../core/documents/yaml/read-yaml.ts";
import { type Diagnostic, formatDiagnostic } from "../../kernel/diagnostic.ts";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import type { CheckText } from "../read-snapshot.ts";
import { documentText } from "./document-text.ts";
import { importRateLimit } from "./import-ratelimit.ts";

export interface ImportFlags {
  /** File of Envoy's configuration with the rate limit actions. */
  readonly actions?: string;
  /** Expressions by the key of their entries. */
  readonly entry: ReadonlyMap<string, string>;
  /** Condition of all policies. */
  readonly match?: string;
  /** Folder to write the documents to; default: the standard output. */
  readonly out?: string;
}

/** Streams of the command. */
export interface ImportOutput {
  readonly documents: (text: string) => void | Promise<void>;
  readonly notes: (text: string) => void | Promise<void>;
}

/**
 * Converts a configuration of envoyproxy/ratelimit into QuotaPolicy documents, checks them and writes them.
 *
 * @throws {ConfigRejected} when a file cannot be read or has a part without a counterpart, or when a given
 *   expression is faulty.
 * @throws {PurserError} PURSER_IMPORT_OUTPUT when the documents cannot be written.
 */
export async function runImport(
  config: string,
  flags: ImportFlags,
  checkText: CheckText,
  output: ImportOutput,
): Promise<void> {
  const { actions, entry, match, out } = flags;
  const imported = importRateLimit({
    config: await readOne(config),
    ...(actions === undefined ? {} : { actions: await readOne(actions) }),
    expressions: entry,
    ...(match === undefined ? {} : { match }),
  });
  if (!imported.ok) throw new ConfigRejected(imported.diagnostics);
  const text = imported.value.map(documentText).join("---\n");
  const checked = checkText({ path: "(imported documents)", text });
  if (!checked.ok) throw new ConfigRejected(checked.diagnostics);
  for (const warning of imported.warnings) await output.notes(`${formatDiagnostic(warning)}\n`);
  if (out === undefined) await output.documents(text);
  else await output.notes(`${write(out, text)}: ${counted(imported.value.length)}\n`);
}

async function readOne(path: string): Promise<DocumentFile> {
  const { files, diagnostics } = await readFiles([path], DEFAULT_SIZE_LIMITS);
  const [file, ...others] = files;
  if (diagnostics.length > 0) throw new ConfigRejected(diagnostics);
  if (file === undefined || others.length > 0) throw new ConfigRejected([notOneFile(path)]);
  return file;
}

function notOneFile(path: string): Diagnostic {
  return {
    severity: "error",
    code: "PURSER_DOC_UNREADABLE",
    location: { file: path, line: 1, column: 1 },
    message: "one file is needed, and this is a folder",
  };
}

const FILE_NAME = "ratelimit.yaml";

/** Writes the documents to a new file; an existing one is left alone. */
function write(folder: string, text: string): string {
  const path = join(folder, FILE_NAME);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, text, { flag: "wx" });
  } catch (cause) {
    throw new PurserError("PURSER_IMPORT_OUTPUT", `${path} could not be written: ${messageOf(cause)}`, {
      cause,
    });
  }
  return path;
}

function counted(count: number): string {
  return `${count} ${count === 1 ? "QuotaPolicy" : "QuotaPolicies"}`;
}
