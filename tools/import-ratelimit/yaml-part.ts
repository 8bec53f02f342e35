// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type DocumentFile, readYaml, type YamlDocument } from "../../core/documents/yaml/read-yaml.ts";
import type { DocumentPath } from "../../core/documents/yaml/places.ts";
import type { Diagnostic, SourceLocation } from "../../kernel/diagnostic.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import { suggest } from "../../kernel/suggest.ts";

/** A fault of a part, with an optional "did you mean". */
interface PartFault {
  readonly code: ErrorCode;
  readonly message: string;
  readonly suggestion?: string | undefined;
  readonly severity?: Diagnostic["severity"];
}

/** A part of a YAML document: its value and its location. Faults of all parts go to one list. */
export class YamlPart {
  readonly value: unknown;
  readonly #document: YamlDocument;
  readonly #path: DocumentPath;
  readonly #faults: Diagnostic[];

  constructor(document: YamlDocument, faults: Diagnostic[], path: DocumentPath = [], value = document.value) {
    this.value = value;
    this.#document = document;
    this.#faults = faults;
    this.#path = path;
  }

  /** Start of the part's value. */
  get location(): SourceLocation {
    return this.#document.places.value(this.#path);
  }

  /** Adds a fault at this part. */
  report({ code, message, suggestion, severity = "error" }: PartFault): void {
    const fault: Diagnostic = { severity, code, location: this.location, message };
    this.#faults.push(suggestion === undefined ? fault : { ...fault, suggestion });
  }

  unsupported(message: string): void {
    this.report({ code: "PURSER_IMPORT_UNSUPPORTED", message });
  }

  warn(message: string): void {
    this.report({ code: "PURSER_IMPORT_UNSUPPORTED", message, severity: "warning" });
  }

  invalid(message: string): void {
    this.report({ code: "PURSER_DOC_INVALID_VALUE", message });
  }

  /** Whether the part is a map of these fields alone; otherwise adds a fault for each wrong field. */
  hasOnly(known: readonly string[]): boolean {
    const { value } = this;
    if (!isMap(value)) {
      this.invalid(`a map of ${known.join(", ")} is needed here`);
      return false;
    }
    const unknown = Object.keys(value).filter((name) => !known.includes(name));
    for (const name of unknown)
      this.#at(name).report({
        code: "PURSER_DOC_UNKNOWN_FIELD",
        message: `there is no field ${JSON.stringify(name)} here`,
        suggestion: suggest(name, known),
      });
    return unknown.length === 0;
  }

  /** The field `name`; undefined when it is absent or empty. */
  field(name: string): YamlPart | undefined {
    const { value } = this;
    if (!isMap(value) || !Object.hasOwn(value, name)) return undefined;
    return value[name] === null || value[name] === undefined ? undefined : this.#at(name);
  }

  /** Names of the map's fields. */
  get names(): readonly string[] {
    return isMap(this.value) ? Object.keys(this.value) : [];
  }

  /** The items of the list `name`; none when it is absent. */
  list(name: string): readonly YamlPart[] {
    return this.field(name)?.items ?? [];
  }

  /** The part's items; none, with a fault, when it is not a list. */
  get items(): readonly YamlPart[] {
    const { value } = this;
    if (!Array.isArray(value)) {
      this.invalid("a list is needed here");
      return [];
    }
    return value.map((item, index) => this.#child(index, item));
  }

  /**
   * The scalar field `name` as text: numbers and booleans as they are written, as the YAML libraries of Go and
   * protobuf read them into a text.
   */
  text(name: string): string | undefined {
    const part = this.field(name);
    if (part === undefined) return undefined;
    if (typeof part.value === "string") return part.value;
    const source = part.#document.places.sourceText(part.#path);
    if (source === undefined) part.invalid(`${name} must be a text`);
    return source;
  }

  /** The field `name`, which must be a text that is not empty; a fault when it is absent. */
  neededText(name: string): string | undefined {
    const text = this.text(name);
    if (text !== undefined && text !== "") return text;
    if (this.field(name) === undefined || text === "")
      this.report({ code: "PURSER_DOC_MISSING_FIELD", message: `${name} is missing or empty` });
    return undefined;
  }

  /** The boolean field `name`; `byDefault` when it is absent. */
  flag(name: string, byDefault = false): boolean {
    const part = this.field(name);
    if (part === undefined) return byDefault;
    if (typeof part.value !== "boolean") part.invalid(`${name} must be true or false`);
    return part.value === true;
  }

  /** The field `name`, a whole number from `min` to `max`; undefined when it is absent or wrong. */
  wholeNumber(name: string, min: number, max: number): number | undefined {
    const part = this.field(name);
    if (part === undefined) return undefined;
    const { value } = part;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    part.invalid(`${name} must be a whole number from ${min} to ${max}`);
    return undefined;
  }

  #at(name: string): YamlPart {
    return this.#child(name, (this.value as Record<string, unknown>)[name]);
  }

  #child(step: string | number, value: unknown): YamlPart {
    return new YamlPart(this.#document, this.#faults, [...this.#path, step], value);
  }
}

/**
 * The only document of a YAML file; undefined, with a fault, when the file has faults, or none or several
 * documents.
 */
export function openYaml(file: DocumentFile, faults: Diagnostic[]): YamlPart | undefined {
  const { documents, diagnostics } = readYaml(file);
  faults.push(...diagnostics);
  const [first, second] = documents;
  if (second !== undefined)
    new YamlPart(second, faults).unsupported(
      "a second document in the file: envoyproxy/ratelimit and Envoy read only the first; split the file",
    );
  if (first === undefined && diagnostics.length === 0)
    faults.push({
      severity: "error",
      code: "PURSER_DOC_SYNTAX",
      location: { file: file.path, line: 1, column: 1 },
      message: "the file has no YAML document",
    });
  return first === undefined ? undefined : new YamlPart(first, faults);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
