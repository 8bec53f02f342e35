// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Composer, type Document, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, Parser } from "yaml";
import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { YamlPlaces } from "./places.ts";

/** A file's text under the name that diagnostics show. */
export interface DocumentFile {
  readonly path: string;
  readonly text: string;
}

/** One YAML document as plain data, and the way back from each part of it to its place in the file. */
export interface YamlDocument {
  readonly value: unknown;
  readonly places: YamlPlaces;
}

/** Aliases multiply: a few nested ones expand to gigabytes. No honest document comes near this many. */
const MAX_ALIAS_EXPANSION = 100;

/** Collections nested much deeper make the parser recurse until the stack, or the process's memory, is at its end. */
const MAX_DEPTH = 100;

/** One slip of the pen makes a parser complain about everything after it; the first complaints are the useful ones. */
const MAX_SYNTAX_FAULTS = 20;

/** Reads the documents of a file (YAML 1.2, core schema). Documents with a syntax fault are left out. */
export function readYaml(file: DocumentFile): {
  readonly documents: readonly YamlDocument[];
  readonly diagnostics: readonly Diagnostic[];
} {
  const text = file.text.startsWith("\uFEFF") ? file.text.slice(1) : file.text;
  const lines = new LineCounter();
  const documents: YamlDocument[] = [];
  const diagnostics: Diagnostic[] = [];
  const fault: Fault = (offset, message) => {
    const { line, col } = lines.linePos(offset);
    const column = Math.max(1, col);
    const location = { file: file.path, line: Math.max(1, line), column };
    diagnostics.push({ severity: "error", code: "PURSER_DOC_SYNTAX", location, message });
  };
  try {
    for (const document of composeDocuments(text, lines)) {
      const faults = [...document.errors, ...document.warnings];
      for (const error of faults) fault(error.pos[0], error.message);
      if (faults.length > 0 || !isPlainData(document, fault)) continue;
      const value = toPlainData(document, fault);
      if (value !== undefined && value !== null)
        documents.push({ value, places: new YamlPlaces(file.path, text, lines, document) });
    }
  } catch (error) {
    if (!(error instanceof TooDeepError)) throw error;
    fault(error.offset, error.message);
  }
  return { documents, diagnostics: diagnostics.slice(0, MAX_SYNTAX_FAULTS) };
}

class TooDeepError extends Error {
  readonly offset: number;

  constructor(offset: number) {
    super(`Collections are nested more than ${MAX_DEPTH} deep`);
    this.offset = offset;
  }
}

/** What `parseAllDocuments` does, with a watch on the tokens as they pass. */
function* composeDocuments(text: string, lines: LineCounter): Generator<Document.Parsed> {
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer({ prettyErrors: false, uniqueKeys: false, strict: true, logLevel: "silent" });
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) yield* composer.next(token) as Generator<Document.Parsed>;
    // The document itself, then a token for each collection that is open.
    if (parser.stack.length > MAX_DEPTH + 1) throw new TooDeepError(parser.offset);
  }
  for (const token of parser.end()) yield* composer.next(token) as Generator<Document.Parsed>;
  yield* composer.end(false, text.length) as Generator<Document.Parsed>;
}

type Fault = (offset: number, message: string) => void;

/**
 * Whether every key is text and stands once in its map, and every alias has an anchor. YAML allows maps as keys; and the
 * parser's own look for duplicates takes time quadratic in a map's size.
 */
function isPlainData(document: Document.Parsed, fault: Fault): boolean {
  let plain = true;
  const refuse = (offset: number, message: string) => {
    plain = false;
    fault(offset, message);
  };
  const anchors = new Set<string>();
  const pending: unknown[] = [document.contents];
  for (let node = pending.pop(); node !== undefined || pending.length > 0; node = pending.pop()) {
    if (isAlias(node)) {
      if (!anchors.has(node.source)) refuse(node.range?.[0] ?? 0, `There is no anchor &${node.source} above`);
      continue;
    }
    const { anchor } = node as { readonly anchor?: string };
    if (anchor !== undefined) anchors.add(anchor);
    if (isSeq(node)) for (const item of node.items.toReversed()) pending.push(item);
    if (!isMap(node)) continue;
    for (const { value } of node.items.toReversed()) pending.push(value);
    const seen = new Set<string>();
    for (const { key } of node.items) {
      if (!isScalar(key)) {
        refuse(node.range?.[0] ?? 0, "A key of a map must be plain text");
        continue;
      }
      const name = String(key.value);
      if (seen.has(name))
        refuse(key.range?.[0] ?? 0, `The key ${JSON.stringify(name)} stands twice in one map`);
      seen.add(name);
    }
  }
  return plain;
}

/** The document's value; undefined, after a fault, when its aliases multiply too far. */
function toPlainData(document: Document.Parsed, fault: Fault): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIAS_EXPANSION });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    fault(document.contents?.range[0] ?? 0, "The document's aliases expand to too much");
    return undefined;
  }
}
