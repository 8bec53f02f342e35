// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, walk } from "../../syntax/ast.ts";
import { WELL_KNOWN_HEADERS } from "../header-names.ts";
import type { Inferred } from "../inferred.ts";
import { headerName } from "../names.ts";
import { waysOf } from "../patterns.ts";
import { meaningOf } from "../presence.ts";
import { subjectText, type TextTest } from "../text-tests.ts";
import type { PlacedTest } from "./placed-test.ts";
import { noteBypass } from "./note-bypass.ts";

/** How a list in a header is taken apart: blanks may stand around its commas, and do in fields that were joined. */
const LIST_SEPARATOR = "/\\s*,\\s*/";

/** Notes tests of a header that the joined text of several values decides. */
export function checkHeaderTest({ test, role }: PlacedTest, inference: Inferred): void {
  checkRaw(test, inference);
  checkSplit(test, inference);
  if (role === "admit") checkPart(test, inference);
}

/** `ALLOW` when `$contains(request.headers."x-role", "admin")`: `no-admin` is let pass. */
function checkPart(test: TextTest, inference: Inferred): void {
  const { subject, constants } = test;
  const name = headerName(subject.shape.declaration, subject.shape.place);
  if (name === undefined || WELL_KNOWN_HEADERS.has(name)) return;
  const word = wordLookedFor(test);
  if (word === undefined || constants.length !== 1) return;
  const text = subject.node && subjectText(subject, inference.findings);
  noteBypass(
    test.node,
    `this lets pass ${JSON.stringify(`no-${word}`)} too, as it may stand anywhere in the header`,
    text && `${JSON.stringify(word)} in $split(${text}, ${LIST_SEPARATOR})`,
    inference,
  );
}

/** The one word that is looked for anywhere in a text. */
function wordLookedFor({ manner, constants: [constant] }: TextTest): string | undefined {
  const { constant: text, pattern } = constant?.shape ?? {};
  const [way, ...more] = (pattern && waysOf(pattern)) ?? [];
  const isOpen =
    way !== undefined && more.length === 0 && way.plain && !way.anchored.start && !way.anchored.end;
  const word = manner === "part" && typeof text === "string" ? text : isOpen ? way.text : undefined;
  return word !== undefined && /^[\w-]+$/.test(word) ? word : undefined;
}

/** `"admin" in $split(request.headers."x-roles", ",")`: of `user, admin` it gives ` admin`. */
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

/** Headers that clients write in many ways, the attributes that are made of them, and the reason to read those. */
const CANONICAL: ReadonlyMap<string, readonly [attribute: string, reason: string]> = new Map([
  [
    "x-forwarded-for",
    ["origin.ip", "is a list that a client can begin: origin.ip is the client's address by the trusted hops"],
  ],
  [
    "host",
    [
      "request.host",
      "is as the client writes it, with its port and in any letters: request.host has one form",
    ],
  ],
]);

/** `$cidr(request.headers."x-forwarded-for", …)`, `$split(request.headers."x-forwarded-for", ",")[0] = …`. */
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
