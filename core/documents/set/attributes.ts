// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AttributeManifest, mergeManifests } from "../../../expressions/manifest/manifest.ts";
import { type AttributeType } from "../../../expressions/manifest/manifest-spec.ts";
import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { documentsOf, faultAt, type ParsedDocument } from "../document.ts";
import type { ResolvedHandler } from "./handlers.ts";
import { ATTRIBUTE_MANIFEST } from "../kinds/attribute-manifest.ts";
import { type AttributeManifestSpec } from "../../../expressions/manifest/manifest-spec.ts";
import { HANDLER, type HandlerSpec } from "../kinds/handler.ts";
import type { DocumentPath } from "../yaml/places.ts";

/** Attribute declarations, and the location of each. */
interface Source {
  readonly spec: AttributeManifestSpec;
  readonly document: ParsedDocument;
  readonly placeOf: (attribute: string) => DocumentPath;
}

/**
 * All attributes of a set: built-in ones, those declared by AttributeManifests, and those added by plugins.
 */
export function attributesOf(
  builtIn: readonly ParsedDocument[],
  documents: readonly ParsedDocument[],
  handlers: ReadonlyMap<ParsedDocument, ResolvedHandler>,
): {
  readonly manifest: AttributeManifest;
  /** Whether all declarations of attributes could be read. */
  readonly complete: boolean;
  readonly diagnostics: readonly Diagnostic[];
} {
  const sources = [
    ...documentsOf([...builtIn, ...documents], ATTRIBUTE_MANIFEST).map((document) => ({
      spec: document.spec as AttributeManifestSpec,
      document,
      placeOf: (attribute: string) => ["spec", "attributes", attribute],
    })),
    ...providedBy(handlers),
  ];
  const { manifest, faults } = mergeManifests(sources.map(({ spec }) => spec));
  const diagnostics = faults.map(({ specIndex, attribute, message }) => {
    const { document, placeOf } = sources[specIndex] as Source;
    return faultAt(document, "PURSER_DOC_INVALID_VALUE", placeOf(attribute), message, { at: "key" });
  });
  const complete = documents.every((document) => {
    if (document.definition.kind === ATTRIBUTE_MANIFEST.kind) return document.valid;
    return document.definition.kind !== HANDLER.kind || handlers.has(document) || configuresAdapter(document);
  });
  return { manifest, complete, diagnostics };
}

function configuresAdapter({ valid, spec }: ParsedDocument): boolean {
  return valid && (spec as HandlerSpec).plugin === undefined;
}

/** The attributes that plugins add, once for each plugin, even if several handlers use it. */
function providedBy(handlers: ReadonlyMap<ParsedDocument, ResolvedHandler>): readonly Source[] {
  const first = new Map(
    [...handlers].toReversed().map(([document, { definition }]) => [definition, document]),
  );
  return [...first].flatMap(([definition, document]) => {
    if (definition.extension !== "plugin" || definition.provides === undefined) return [];
    const attributes = Object.entries(definition.provides).map(
      ([name, { type, values, ...rest }]) =>
        [
          name,
          { type: type as AttributeType, ...rest, ...(values === undefined ? {} : { values: [...values] }) },
        ] as const,
    );
    return [
      { spec: { attributes: Object.fromEntries(attributes) }, document, placeOf: () => ["spec", "plugin"] },
    ];
  });
}
