// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../kernel/diagnostic.ts";
import { suggest } from "../../kernel/suggest.ts";
import { findKind, KINDS, PURSER_API_VERSION, REFUSED_KINDS } from "./catalog.ts";
import { faultAt, faultOfSchema, type ParsedDocument, type ParsedFile } from "./document.ts";
import { envelopeOf } from "./envelope.ts";
import { isForeign } from "./foreign.ts";
import { DEFAULT_NAMESPACE, type KindDefinition, type Metadata, writtenKind } from "./kinds/kind.ts";
import { itemsOf } from "./list-items.ts";
import { type SchemaFault, schemaFaults } from "./schema/faults.ts";
import { type DocumentFile, readYaml, type YamlDocument } from "./yaml/read-yaml.ts";

export interface ParseOptions {
  /**
   * Whether documents of other programs, such as a Deployment, are skipped with a note; default: they are errors.
   */
  readonly skipForeign?: boolean;
}

/**
 * Parses a file's documents and checks each on its own; references between documents are checked over the
 * whole set.
 */
export function parseDocuments(file: DocumentFile, options: ParseOptions = {}): ParsedFile {
  const yaml = readYaml(file);
  const documents: ParsedDocument[] = [];
  const expanded = yaml.documents.map(itemsOf);
  const diagnostics: Diagnostic[] = [...yaml.diagnostics, ...expanded.flatMap((items) => items.diagnostics)];
  const apiVersionsAbove = new Set<unknown>();
  for (const source of expanded.flatMap((items) => items.documents)) {
    const skipped = options.skipForeign === true ? skippedNote(source) : undefined;
    if (skipped !== undefined) {
      diagnostics.push(skipped);
      continue;
    }
    const parsed = parseDocument(source, apiVersionsAbove);
    diagnostics.push(...parsed.diagnostics);
    if (parsed.document !== undefined) documents.push(parsed.document);
    if (isMap(source.value)) apiVersionsAbove.add(source.value["apiVersion"]);
  }
  return { path: file.path, documents, diagnostics };
}

/** The note on a document of another program; undefined for a document that must be read. */
function skippedNote(source: YamlDocument): Diagnostic | undefined {
  if (!isMap(source.value)) return undefined;
  const { kind, apiVersion, metadata } = source.value;
  if (typeof kind !== "string" || !isForeign(kind, apiVersion)) return undefined;
  const name = isMap(metadata) && typeof metadata["name"] === "string" ? ` ${metadata["name"]}` : "";
  const message = `Skipped the ${kind}${name} of ${JSON.stringify(apiVersion)}`;
  return { ...faultAt(source, "PURSER_DOC_SKIPPED", ["kind"], message, { at: "key" }), severity: "note" };
}

function parseDocument(
  source: YamlDocument,
  apiVersionsAbove: ReadonlySet<unknown>,
): { readonly document?: ParsedDocument; readonly diagnostics: readonly Diagnostic[] } {
  const { value: fields, places } = source;
  if (!isMap(fields)) {
    return { diagnostics: [faultAt(source, "PURSER_DOC_ENVELOPE", [], "A document must be a map")] };
  }
  const { definition, diagnostics } = identify(source, fields, apiVersionsAbove);
  // The fields of an unknown kind are not known either, such as the data of a ConfigMap.
  if (definition === undefined && diagnostics.length > 0) return { diagnostics };
  const whole = definition?.whole === true;
  const faults = schemaFaults(envelopeOf(definition), fields, []).map((fault) =>
    diagnosticOf(source, fault, whole),
  );
  const spec = whole ? fields : fields["spec"];
  if (faults.length === 0 && definition?.check !== undefined) {
    for (const { path, message, suggestion } of definition.check(spec)) {
      const at = whole ? path : ["spec", ...path];
      faults.push(faultAt(source, "PURSER_DOC_INVALID_VALUE", at, message, { suggestion }));
    }
  }
  const metadata = readMetadata(fields["metadata"]);
  const all = [...diagnostics, ...faults];
  if (definition === undefined || metadata === undefined) return { diagnostics: all };
  const location = places.value([]);
  return {
    document: { definition, metadata, spec, valid: faults.length === 0, location, places },
    diagnostics: all,
  };
}

/** Finds the document's kind. In a file, later documents of Purser's own kinds may omit the apiVersion. */
function identify(
  source: YamlDocument,
  fields: Readonly<Record<string, unknown>>,
  apiVersionsAbove: ReadonlySet<unknown>,
): { readonly definition?: KindDefinition; readonly diagnostics: readonly Diagnostic[] } {
  const { kind, apiVersion } = fields;
  // A kind that is absent or not text is refused by the envelope's schema.
  if (typeof kind !== "string") return { diagnostics: [] };
  const definition = findKind(kind, apiVersion);
  const refusal = definition === undefined ? REFUSED_KINDS.get(kind) : undefined;
  if (refusal !== undefined) {
    const message = `The kind ${kind} is not supported: ${refusal}`;
    return { diagnostics: [faultAt(source, "PURSER_DOC_UNKNOWN_KIND", ["kind"], message)] };
  }
  if (isForeign(kind, apiVersion)) {
    const message = `Purser does not read the kind ${kind} of ${JSON.stringify(apiVersion)}; with --skip-foreign it skips documents of other programs`;
    return { diagnostics: [faultAt(source, "PURSER_DOC_UNKNOWN_KIND", ["kind"], message)] };
  }
  if (definition === undefined) {
    const suggestion = suggest(kind, KINDS.map(writtenKind));
    const message = `There is no kind ${JSON.stringify(kind)}`;
    return { diagnostics: [faultAt(source, "PURSER_DOC_UNKNOWN_KIND", ["kind"], message, { suggestion })] };
  }
  const [preferred] = definition.apiVersions;
  if (apiVersion === undefined) {
    if (preferred === PURSER_API_VERSION && apiVersionsAbove.has(preferred))
      return { definition, diagnostics: [] };
    const message = `The document lacks the field "apiVersion": ${preferred}`;
    return { definition, diagnostics: [faultAt(source, "PURSER_DOC_ENVELOPE", [], message)] };
  }
  if (typeof apiVersion !== "string" || definition.apiVersions.includes(apiVersion))
    return { definition, diagnostics: [] };
  const message = `There is no ${kind} in apiVersion ${JSON.stringify(apiVersion)}`;
  const fault = faultAt(source, "PURSER_DOC_UNKNOWN_KIND", ["apiVersion"], message, {
    suggestion: preferred,
  });
  return { definition, diagnostics: [fault] };
}

/** The metadata; undefined without a name, by which the document is known. */
function readMetadata(metadata: unknown): Metadata | undefined {
  if (!isMap(metadata) || typeof metadata["name"] !== "string") return undefined;
  const { name, namespace, labels = {}, annotations = {} } = metadata as Partial<Metadata> & { name: string };
  return {
    name,
    namespace: typeof namespace === "string" ? namespace : DEFAULT_NAMESPACE,
    labels,
    annotations,
  };
}

/** Faults outside `spec` have the envelope's code. */
function diagnosticOf(source: YamlDocument, fault: SchemaFault, whole: boolean): Diagnostic {
  const inSpec = whole
    ? fault.path[0] !== "metadata" && fault.field !== "metadata"
    : fault.path[0] === "spec" || fault.field === "spec";
  return faultOfSchema(source, fault, inSpec || fault.kind === "unknown" ? undefined : "PURSER_DOC_ENVELOPE");
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
