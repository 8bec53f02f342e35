// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
} from "yaml";
import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { YamlPlaces } from "./places.ts";

/** A file's text, with its path for diagnostics. */
export interface DocumentFile {
  readonly path: string;
  readonly text: string;
}

/** One YAML document as plain data, with the locations of its parts. */
export interface YamlDocument {
  readonly value: unknown;
  readonly places: YamlPlaces;
}

/** Bound on alias expansion: a few nested aliases expand to gigabytes ("billion laughs"). */
const MAX_ALIAS_EXPANSION = 100;

/** Deeper nesting makes the parser recurse until it exhausts the stack or memory. */
const MAX_DEPTH = 100;

/** A single mistake makes a parser report many errors; the first ones are the useful ones. */
const MAX_SYNTAX_FAULTS = 20;

/** Parses the documents of a file (YAML 1.2, core schema). Documents with a syntax fault are left out. */
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

/** Equivalent to `parseAllDocuments`, with a check of the nesting depth at each token. */
function* composeDocuments(text: string, lines: LineCounter): Generator<Document.Parsed> {
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer({ prettyErrors: false, uniqueKeys: false, strict: true, logLevel: "silent" });
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) yield* composer.next(token) as Generator<Document.Parsed>;
    // The stack has the document itself, then a token for each open collection.
    if (parser.stack.length > MAX_DEPTH + 1) throw new TooDeepError(parser.offset);
  }
  for (const token of parser.end()) yield* composer.next(token) as Generator<Document.Parsed>;
  yield* composer.end(false, text.length) as Generator<Document.Parsed>;
}

type Fault = (offset: number, message: string) => void;

/**
 * Whether every key is text and unique in its map, every value has a form of JSON, and every alias has an anchor that
 * it is not within. YAML allows maps as keys, sets, dates and circles, and the parser's own check for duplicates takes
 * time quadratic in a map's size.
 */
function isPlainData(document: Document.Parsed, fault: Fault): boolean {
  let plain = true;
  const refuse = (offset: number, message: string) => {
    plain = false;
    fault(offset, message);
  };
  /** The end of each anchor's node; of several with one name, the last so far. */
  const anchors = new Map<string, number>();
  const pending: unknown[] = [document.contents];
  for (let node = pending.pop(); node !== undefined || pending.length > 0; node = pending.pop()) {
    // A key without a value, such as {app}, has no node.
    if (!isNode(node)) continue;
    const [start = 0, end = 0] = node.range ?? [];
    if (isAlias(node)) {
      const anchorEnd = anchors.get(node.source);
      if (anchorEnd === undefined) refuse(start, `There is no anchor &${node.source} above`);
      else if (start < anchorEnd) refuse(start, `The alias *${node.source} is within its own anchor`);
      continue;
    }
    const { anchor } = node as { readonly anchor?: string };
    if (anchor !== undefined) anchors.set(anchor, end);
    if (!hasFormOfJson(node))
      refuse(
        start,
        "A document has no dates, binary data, sets or ordered maps of YAML: write text, a list or a map",
      );
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
      if (seen.has(name)) refuse(key.range?.[0] ?? 0, `The key ${JSON.stringify(name)} is in the map twice`);
      seen.add(name);
    }
  }
  return plain;
}

const PLAIN_COLLECTIONS: ReadonlySet<string> = new Set(["tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"]);

/** False for YAML's sets, ordered maps, dates and binary data: a reader of plain objects would find them empty. */
function hasFormOfJson(node: Node): boolean {
  if (isScalar(node)) return typeof node.value !== "object" || node.value === null;
  return node.tag === undefined || PLAIN_COLLECTIONS.has(node.tag);
}

/** The document's value; undefined, with a fault, when its aliases expand too far. */
function toPlainData(document: Document.Parsed, fault: Fault): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIAS_EXPANSION });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    fault(document.contents?.range[0] ?? 0, "The document's aliases expand too far");
    return undefined;
  }
}
