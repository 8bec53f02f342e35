// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { Diagnostic, SourceLocation } from "../../kernel/diagnostic.ts";
import type { KindDefinition, Metadata } from "./kinds/kind.ts";
import type { SchemaFault } from "./schema/faults.ts";
import type { DocumentPath, Places } from "./yaml/places.ts";

/** A document that was read: its kind is known, and it has a name. */
export interface ParsedDocument {
  readonly definition: KindDefinition;
  readonly metadata: Metadata;
  readonly spec: unknown;
  /**
   * Whether the document satisfies its kind's schema. An invalid document still exists, so that references to
   * it are not reported as well; but its `spec` must not be used.
   */
  readonly valid: boolean;
  /** Start of the document. */
  readonly location: SourceLocation;
  readonly places: Places;
}

/** The documents and diagnostics of one file. */
export interface ParsedFile {
  readonly path: string;
  readonly documents: readonly ParsedDocument[];
  readonly diagnostics: readonly Diagnostic[];
}

/** An error diagnostic at the value (or, with `at: "key"`, at the key) at `path`. */
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

/** A schema fault as a diagnostic; `code` overrides the code of the fault's kind. */
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

/** The valid documents of a kind. Their `spec` has that kind's type. */
export function documentsOf(
  documents: readonly ParsedDocument[],
  definition: KindDefinition,
): readonly ParsedDocument[] {
  return documents.filter((document) => document.valid && document.definition.kind === definition.kind);
}
