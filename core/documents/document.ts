// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { Diagnostic, SourceLocation } from "../../kernel/diagnostic.ts";
import type { KindDefinition, Metadata } from "./kinds/kind.ts";
import type { SchemaFault } from "./schema/faults.ts";
import type { DocumentPath, YamlPlaces } from "./yaml/places.ts";

/** A document as it was read: one of the known kinds, with a name. */
export interface ParsedDocument {
  readonly definition: KindDefinition;
  readonly metadata: Metadata;
  readonly spec: unknown;
  /**
   * Whether it fits its kind's schema. One that does not still exists: what refers to it is not a second fault; but nothing
   * may be read from its `spec`.
   */
  readonly valid: boolean;
  /** Where it begins. */
  readonly location: SourceLocation;
  readonly places: YamlPlaces;
}

/** What was read from one file. */
export interface ParsedFile {
  readonly path: string;
  readonly documents: readonly ParsedDocument[];
  readonly diagnostics: readonly Diagnostic[];
}

/** An error of a document at the value (or, by `at: "key"`, the key) at `path`. */
export function faultAt(
  document: Pick<ParsedDocument, "places">,
  code: ErrorCode,
  path: DocumentPath,
  message: string,
  options: { readonly at?: "key"; readonly suggestion?: string | undefined } = {},
): Diagnostic {
  const { at, suggestion } = options;
  return {
    severity: "error",
    code,
    location: at === "key" ? document.places.key(path) : document.places.value(path),
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

const CODE_OF_FAULT = {
  unknown: "PURSER_DOC_UNKNOWN_FIELD",
  missing: "PURSER_DOC_MISSING_FIELD",
  invalid: "PURSER_DOC_INVALID_VALUE",
} as const satisfies Record<SchemaFault["kind"], ErrorCode>;

/** A schema's fault as an error of the document; `code` in place of the one that the fault's kind has. */
export function faultOfSchema(
  document: Pick<ParsedDocument, "places">,
  { kind, path, message, suggestion }: SchemaFault,
  code: ErrorCode = CODE_OF_FAULT[kind],
): Diagnostic {
  return faultAt(
    document,
    code,
    path,
    message,
    kind === "unknown" ? { at: "key", suggestion } : { suggestion },
  );
}

/** The documents of a kind that fit its schema. `spec` may be taken as that kind's. */
export function documentsOf(
  documents: readonly ParsedDocument[],
  definition: KindDefinition,
): readonly ParsedDocument[] {
  return documents.filter((document) => document.valid && document.definition.kind === definition.kind);
}
