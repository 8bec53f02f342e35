// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, walk } from "../../syntax/ast.ts";
import { WELL_KNOWN_HEADERS } from "../names/header-names.ts";
import type { Inferred } from "../inference/inferred.ts";
import { headerName } from "../names/names.ts";
import { waysOf } from "../patterns.ts";
import { meaningOf } from "../presence.ts";
import { subjectText, type TextTest } from "../inference/text-tests.ts";
import type { PlacedTest } from "./placed-test.ts";
import { noteBypass } from "./note-bypass.ts";

/** Separator of a list in a header: blanks may stand around its commas, and do where fields were joined. */
const LIST_SEPARATOR = "/\\s*,\\s*/";

/** Notes tests of a header whose outcome depends on how several values were joined into one text. */
export function checkHeaderTest({ test, role }: PlacedTest, inference: Inferred): void {
  checkRaw(test, inference);
  checkSplit(test, inference);
  if (role === "admit") checkPart(test, inference);
}

/**
 * Notes substring tests: `ALLOW` when `$contains(request.headers."x-role", "admin")` lets `no-admin` pass.
 */
function checkPart(test: TextTest, inference: Inferred): void {
  const { subject, constants } = test;
  const name = headerName(subject.shape.declaration, subject.shape.place);
  if (name === undefined || WELL_KNOWN_HEADERS.has(name)) return;
  const word = wordLookedFor(test);
  if (word === undefined || constants.length !== 1) return;
  const text = subject.node && subjectText(subject, inference.findings);
  noteBypass(
    test.node,
    `this lets ${JSON.stringify(`no-${word}`)} pass too, as it may stand anywhere in the header`,
    text && `${JSON.stringify(word)} in $split(${text}, ${LIST_SEPARATOR})`,
    inference,
  );
}

/** The only word that a test looks for anywhere in a text. */
function wordLookedFor({ manner, constants: [constant] }: TextTest): string | undefined {
  const { constant: text, pattern } = constant?.shape ?? {};
  const [way, ...more] = (pattern && waysOf(pattern)) ?? [];
  const isOpen =
    way !== undefined && more.length === 0 && way.plain && !way.anchored.start && !way.anchored.end;
  const word = manner === "part" && typeof text === "string" ? text : isOpen ? way.text : undefined;
  return word !== undefined && /^[\w-]+$/.test(word) ? word : undefined;
}

/**
 * Notes lists split without their blanks: `$split(request.headers."x-roles", ",")` of `user, admin` has `
 * admin`.
 */
function checkSplit({ written, constants: [list] }: TextTest, inference: Inferred): void {
  const call = list?.node;
  if (written !== "in" || call === undefined || meaningOf(call) !== "parts") return;
  const [header, separator] = call.arguments ?? [];
  if (header === undefined || separator === undefined || inference.shapeOf(separator).constant !== ",")
    return;
  if (!readsHeader(header, inference)) return;
  noteBypass(
    separator,
    `a list in a header has blanks after its commas, so "a, b" has the item " b" here`,
    LIST_SEPARATOR,
    inference,
  );
}

function readsHeader(node: AstNode, inference: Inferred): boolean {
  let found = false;
  walk(node, (part) => {
    const { declaration, place } = inference.shapeOf(part);
    found ||= headerName(declaration, place) !== undefined;
  });
  return found;
}

/**
 * Headers that clients can write in many ways; the attribute that has each in one form, and the reason to
 * read that.
 */
const CANONICAL: ReadonlyMap<string, readonly [attribute: string, reason: string]> = new Map([
  [
    "x-forwarded-for",
    [
      "origin.ip",
      "is a list whose first entries a client can write: origin.ip is the client's address by the trusted hops",
    ],
  ],
  [
    "host",
    ["request.host", "is as the client writes it, with its port and in any case: request.host has one form"],
  ],
]);

/** Notes tests of such a header: `$cidr(request.headers."x-forwarded-for", …)`. */
function checkRaw({ subject: { node } }: TextTest, inference: Inferred): void {
  if (node === undefined) return;
  walk(node, (part) => {
    const { declaration, place } = inference.shapeOf(part);
    const [attribute, reason] = CANONICAL.get(headerName(declaration, place) ?? "") ?? [];
    if (attribute === undefined || declaration?.name !== "request.headers") return;
    if (inference.use.manifest.lookup(attribute.split("."))?.kind !== "attribute") return;
    const text = inference.findings.textOf(part);
    noteBypass(node, `${text} ${reason}`, attribute, inference);
  });
}
