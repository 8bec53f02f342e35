// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type Pair,
  type Scalar,
} from "yaml";
import type { SourceLocation } from "../../../kernel/diagnostic.ts";
import { offsetInScalar } from "./scalar.ts";

/** Path of a part of a document: `["spec", "overrides", 0, "limit"]`. */
export type DocumentPath = readonly (string | number)[];

/** Locations of the parts of a document. */
export type Places = Pick<YamlPlaces, "file" | "value" | "key" | "within" | "endWithin">;

/** Locations in the file of all parts of one YAML document. */
export class YamlPlaces {
  readonly file: string;
  readonly #text: string;
  readonly #lines: LineCounter;
  readonly #document: Document.Parsed;
  /** Path of the part that all other paths begin at; empty for the whole document. */
  readonly #root: DocumentPath;

  constructor(
    file: string,
    text: string,
    lines: LineCounter,
    document: Document.Parsed,
    root: DocumentPath = [],
  ) {
    this.file = file;
    this.#text = text;
    this.#lines = lines;
    this.#document = document;
    this.#root = root;
  }

  /** Locations of the parts of one part, such as an item of a List, with paths that begin there. */
  below(path: DocumentPath): YamlPlaces {
    return new YamlPlaces(this.file, this.#text, this.#lines, this.#document, [...this.#root, ...path]);
  }

  /**
   * Start of the value at `path`; its key when the value is empty; the nearest ancestor when it is absent.
   */
  value(path: DocumentPath): SourceLocation {
    const { node, key, exact } = this.#find(path);
    const range = rangeOf(node);
    const written = range !== undefined && range[1] > range[0];
    return this.#location((exact && !written && key !== undefined ? rangeOf(key) : range)?.[0] ?? 0);
  }

  /** Start of the key of the value at `path`; of the value itself for an item of a list. */
  key(path: DocumentPath): SourceLocation {
    const { node, key, exact } = this.#find(path);
    return this.#location(rangeOf(exact && key !== undefined ? key : node)?.[0] ?? 0);
  }

  /** Location of the character at `offset` (in UTF-16 units) in the text at `path`. */
  within(path: DocumentPath, offset: number): SourceLocation {
    return this.#within(path, offset);
  }

  /** Location of the end, exclusive, of the part of the text at `path` that ends at `offset`. */
  endWithin(path: DocumentPath, offset: number): SourceLocation {
    return this.#within(path, offset, offset);
  }

  /** With `end`, ignores the text after it, so that the location is the end of the text before it. */
  #within(path: DocumentPath, offset: number, end?: number): SourceLocation {
    const { node } = this.#find(path);
    const range = rangeOf(node);
    if (!isScalar(node) || typeof node.value !== "string" || range === undefined) return this.value(path);
    const raw = this.#text.slice(range[0], range[1]);
    const value = node.value.slice(0, end);
    return this.#location(range[0] + offsetInScalar(raw, node.type as Scalar.Type, value, offset));
  }

  /** Text of the scalar at `path` as written: `007` for a plain 007. undefined for a list, a map or no value. */
  sourceText(path: DocumentPath): string | undefined {
    const { node, exact } = this.#find(path);
    const scalar = isAlias(node) ? node.resolve(this.#document) : node;
    return exact && isScalar(scalar) ? scalar.source : undefined;
  }

  #location(offset: number): SourceLocation {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line, column: col };
  }

  #find(path: DocumentPath): { readonly node: unknown; readonly key: unknown; readonly exact: boolean } {
    let node: unknown = this.#document.contents;
    let key: unknown;
    for (const step of this.#root.length === 0 ? path : [...this.#root, ...path]) {
      const collection = isAlias(node) ? node.resolve(this.#document) : node;
      if (isMap(collection)) {
        const pair: Pair | undefined = collection.items.find(
          (item) => isScalar(item.key) && String(item.key.value) === String(step),
        );
        if (pair === undefined) return { node, key, exact: false };
        ({ key, value: node } = pair);
      } else if (isSeq(collection) && collection.items[Number(step)] !== undefined) {
        key = undefined;
        node = collection.items[Number(step)];
      } else {
        return { node, key, exact: false };
      }
    }
    return { node, key, exact: true };
  }
}

function rangeOf(node: unknown): readonly [number, number, number] | undefined {
  return (node as { readonly range?: readonly [number, number, number] | null } | null)?.range ?? undefined;
}
