// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DataPath } from "../../data.ts";
import type { AttributeDeclaration } from "../../manifest/manifest.ts";
import type { StaticReference, StaticReferences } from "../../analysis/static-references.ts";
import { type AstNode, walk } from "../../syntax/ast.ts";
import type { SourceRange } from "../../syntax/source-ranges.ts";
import { checkBareWords } from "./bare-words.ts";
import { nearHeader, PSEUDO_HEADERS } from "./header-names.ts";
import type { Inferred } from "../inference/inferred.ts";

/**
 * Notes names that no manifest declares, or whose attributes are not set yet when the expression is
 * evaluated.
 */
export function checkNames(
  ast: AstNode,
  source: string,
  { paths }: StaticReferences,
  inference: Inferred,
): void {
  const { findings, use } = inference;
  const misread = [...checkDashes(ast, source, inference), ...checkBareWords(ast, inference)];
  for (const reference of paths) {
    if (findings.isFull("error")) break;
    const found = use.manifest.check(reference.path, use.phase);
    const unknown = found?.code === "PURSER_EXPR_UNKNOWN_ATTRIBUTE";
    if (found === undefined || (unknown && use.complete === false)) continue;
    const range = rangeOfReference(ast, reference, inference);
    if (unknown && misread.some(({ start, end }) => start <= range.start && range.end <= end)) continue;
    findings.addAt(range, { severity: "error", ...found });
  }
  checkHeaderNames(ast, inference);
}

function rangeOfReference(ast: AstNode, { path, offset }: StaticReference, inference: Inferred): SourceRange {
  let range: SourceRange = { start: offset, end: offset + 1 };
  walk(ast, (node) => {
    const whole = inference.findings.rangeOf(node);
    const names = (node.steps ?? []).slice(0, path.length);
    const last = names.at(-1);
    if (node.type !== "path" || whole.start !== offset || last === undefined) return;
    range = { start: offset, end: inference.findings.rangeOf(last).end };
  });
  return range;
}

/** Longest text that is taken for one name with dashes, in UTF-16 units. */
const NAME_LENGTH = 200;

/**
 * Notes names with dashes: `request.headers.x-user` subtracts `user`. Returns the places of all such
 * mistakes.
 */
function checkDashes(ast: AstNode, source: string, inference: Inferred): readonly SourceRange[] {
  const { findings, use } = inference;
  const ranges: SourceRange[] = [];
  walk(ast, (node) => {
    if (node.type !== "binary" || node.value !== "-") return;
    const range = findings.rangeOf(node);
    if (range.end - range.start > NAME_LENGTH) return;
    const [, prefix, name] = /^([\w.]+)\.(\w+(?:-\w+)+)$/.exec(source.slice(range.start, range.end)) ?? [];
    if (prefix === undefined || name === undefined) return;
    if (use.manifest.lookup([...prefix.split("."), name])?.kind !== "member") return;
    if (ranges.some(({ start, end }) => start <= range.start && range.end <= end)) return;
    ranges.push(range);
    findings.forget(range);
    findings.addAt(range, {
      code: "PURSER_EXPR_UNKNOWN_ATTRIBUTE",
      severity: "error",
      message: `a dash subtracts: a name that has one is quoted`,
      suggestion: `${prefix}.${JSON.stringify(name)}`,
    });
  });
  return ranges;
}

/** A token (RFC 9110, 5.6.2). */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/**
 * Notes header names in upper case (the bag has lower-case names only) and with characters that no header name has, and
 * likely misspellings of well-known headers.
 */
function checkHeaderNames(ast: AstNode, inference: Inferred): void {
  walk(ast, (node) => {
    if (node.type !== "path" && node.type !== "function") return;
    const { place, declaration } = inference.shapeOf(node);
    const name = headerName(declaration, place);
    if (name === undefined) return;
    const small = name.toLowerCase();
    const pseudo = PSEUDO_HEADERS.get(small);
    if (pseudo !== undefined) {
      const message = `${JSON.stringify(name)} is no header: the attribute ${pseudo} has it`;
      inference.findings.add(node, {
        code: "PURSER_EXPR_UNKNOWN_ATTRIBUTE",
        severity: "warning",
        message,
        suggestion: pseudo,
      });
      return;
    }
    if (!HEADER_NAME.test(small)) {
      const trimmed = small.trim();
      inference.findings.add(node, {
        code: "PURSER_EXPR_UNKNOWN_ATTRIBUTE",
        severity: "warning",
        message: `no header can have the name ${JSON.stringify(name)}`,
        ...(HEADER_NAME.test(trimmed)
          ? { suggestion: `${declaration?.name}.${JSON.stringify(trimmed)}` }
          : {}),
      });
      return;
    }
    const near = nearHeader(small);
    if (near === undefined && small === name) return;
    inference.findings.add(node, {
      code: "PURSER_EXPR_UNKNOWN_ATTRIBUTE",
      severity: "warning",
      message:
        near === undefined
          ? `header names are in lower case here: there is never a ${JSON.stringify(name)}`
          : `${JSON.stringify(name)} is one letter from the well-known header ${JSON.stringify(near)}`,
      suggestion: `${declaration?.name}.${JSON.stringify(near ?? small)}`,
    });
  });
}

/** Istio's attributes that hold headers, whether or not a manifest declares that form. */
const HEADERS: ReadonlySet<string> = new Set(["request.headers", "response.headers"]);

/** The name of the header that a value comes from. */
export function headerName(
  declaration: AttributeDeclaration | undefined,
  place: DataPath | undefined,
): string | undefined {
  if (declaration === undefined || place?.length !== declaration.name.split(".").length + 1) return undefined;
  return declaration.form === "headers" || HEADERS.has(declaration.name) ? place.at(-1) : undefined;
}
