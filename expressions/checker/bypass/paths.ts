// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Inferred } from "../inference/inferred.ts";
import { waysOf } from "../patterns.ts";
import { subjectText, type TextTest } from "../inference/text-tests.ts";
import { accepts, namedBy } from "./accepts.ts";
import type { PlacedTest } from "./placed-test.ts";
import { escaped, noteBypass } from "./note-bypass.ts";

/** Most tests and paths of one condition that are compared with one another. */
const MAX_TESTS = 64;

/** Notes tests of a path that a client can bypass by a slash, a query or a longer name. */
export function checkPathTest({ test, role, group }: PlacedTest, inference: Inferred): void {
  const { family } = test.subject.shape.form ?? {};
  if (family !== "path" && family !== "url-path") return;
  if (role === "catch") checkMissed(test, family, group, inference);
  else checkAdmitted(test, family, inference);
}

/**
 * Notes exact tests: `DENY` when `url_path = "/admin"` misses `/admin/`; of `request.path`, `/admin?x` too.
 */
function checkMissed(
  test: TextTest,
  family: "path" | "url-path",
  group: readonly TextTest[],
  inference: Inferred,
): void {
  const isCaught = (path: string): boolean =>
    group.some((other) => isSameSubject(other, test) && accepts(other, path));
  const named = namedBy(test);
  const isCounted = group.length <= MAX_TESTS && named.length <= MAX_TESTS;
  for (const path of isCounted ? named : []) {
    const missed = variantsOf(path, family).find((variant) => !isCaught(variant));
    if (missed === undefined) continue;
    const subject = withoutQuery(test, family, inference);
    const suggestion = subject && test.constants.length === 1 ? caught(subject, path) : undefined;
    noteBypass(
      test.node,
      `${JSON.stringify(missed)} passes this, and most servers answer it as ${JSON.stringify(path)}`,
      suggestion && test.written === "!=" ? `$not(${suggestion})` : suggestion,
      inference,
    );
    return;
  }
  if (family === "path" && isOfEnd(test) && named.length === 0)
    noteBypass(
      test.node,
      "this path ends with the query, so any query passes this: request.url_path has none",
      rewrittenOf(test, family, inference),
      inference,
    );
}

/** A condition that is true of all variants of `path`. */
function caught(subject: string, path: string): string {
  if (isFile(path)) return `${subject} = ${JSON.stringify(path)}`;
  return `$contains(${subject}, /^${escaped(path.replace(/\/$/, ""))}(\\/|$)/)`;
}

function isFile(path: string): boolean {
  return /\.\w+$/.test(path);
}

/** The paths that servers treat like `path`. A path with a file's name has no variant with a slash. */
function variantsOf(path: string, family: "path" | "url-path"): readonly string[] {
  if (!path.startsWith("/") || path === "/" || path.includes("?")) return [];
  const stem = path.replace(/\/$/, "");
  return [...(isFile(path) ? [] : [path, `${stem}/`, stem]), ...(family === "path" ? [`${path}?x`] : [])];
}

/** Notes prefixes within a name: `ALLOW` when `$startsWith(url_path, "/public")` lets `/publicity` pass. */
function checkAdmitted(test: TextTest, family: "path" | "url-path", inference: Inferred): void {
  const subject = withoutQuery(test, family, inference);
  const prefix = prefixOf(test);
  if (prefix !== undefined) {
    const pattern = `/^${escaped(prefix)}(\\/|$)/`;
    noteBypass(
      test.node,
      `this lets ${JSON.stringify(`${prefix}x`)} pass too: a prefix of a path ends at a slash`,
      subject && `$contains(${subject}, ${pattern})`,
      inference,
    );
    return;
  }
  const anywhere = placedAnywhere(test);
  if (family === "path" && (anywhere !== undefined || isOfEnd(test) || isUnanchored(test)))
    noteBypass(
      test.node,
      "a client can write this in the query, which is part of this path: request.url_path has none",
      anywhere === undefined ? rewrittenOf(test, family, inference) : anchoredAt(anywhere, subject),
      inference,
    );
  else if (anywhere !== undefined)
    noteBypass(
      test.node,
      `this lets ${JSON.stringify(`/x${anywhere}`)} pass too, as it may stand anywhere in the path`,
      anchoredAt(anywhere, subject),
      inference,
    );
}

function anchoredAt(text: string, subject: string | undefined): string | undefined {
  const stem = text.replace(/\/$/, "");
  if (subject === undefined || stem === "") return undefined;
  return text.endsWith("/")
    ? `$startsWith(${subject}, ${JSON.stringify(text)})`
    : `$contains(${subject}, /^${escaped(stem)}(\\/|$)/)`;
}

/** The prefix that a test looks for, if the prefix can end within a segment's name. */
function prefixOf({ manner, constants: [constant] }: TextTest): string | undefined {
  const { constant: text, pattern } = constant?.shape ?? {};
  let prefix: string | undefined;
  if (manner === "start" && typeof text === "string") prefix = text;
  if (manner === "glob" && typeof text === "string") prefix = /^([^*?[\]{}\\]*)\*{1,2}$/.exec(text)?.[1];
  for (const { anchored, plain, runs } of (pattern && waysOf(pattern)) ?? [])
    if (anchored.start && !anchored.end && plain && isNameEnd(runs[0]?.text)) prefix ??= runs[0]?.text;
  return isNameEnd(prefix) ? prefix : undefined;
}

function isNameEnd(text: string | undefined): boolean {
  return text !== undefined && /^\/.*[A-Za-z0-9]$/.test(text) && !text.includes("?");
}

/** The beginning of a path that a test looks for anywhere in the text. */
function placedAnywhere({ manner, constants: [constant] }: TextTest): string | undefined {
  const { constant: text, pattern } = constant?.shape ?? {};
  if (manner === "part" && typeof text === "string") return /^\/./.test(text) ? text : undefined;
  const [way, ...more] = (pattern && waysOf(pattern)) ?? [];
  const [run] = way?.runs ?? [];
  if (way === undefined || more.length > 0 || way.anchored.start || way.anchored.end || !way.plain)
    return undefined;
  return run !== undefined && /^\/./.test(run.text) ? run.text : undefined;
}

/** Whether a test asks how a text ends. */
function isOfEnd({ manner, constants: [constant] }: TextTest): boolean {
  const { constant: text, pattern } = constant?.shape ?? {};
  if (manner === "end") return typeof text === "string" && !text.includes("?");
  const ways = (pattern && waysOf(pattern)) ?? [];
  return (
    ways.length > 0 &&
    ways.every(({ anchored, runs }) => anchored.end && runs.every(({ text: run }) => !run.includes("?")))
  );
}

/** Whether a test finds its constant anywhere in a text. */
function isUnanchored({ manner, constants: [constant] }: TextTest): boolean {
  const { constant: text, pattern } = constant?.shape ?? {};
  if (manner === "part") return typeof text === "string" && !text.includes("?") && !text.includes("=");
  const ways = (pattern && waysOf(pattern)) ?? [];
  return ways.some(
    ({ anchored, runs }) => !anchored.start && runs.every(({ text: run }) => !/[?=&]/.test(run)),
  );
}

function isSameSubject(a: TextTest, b: TextTest): boolean {
  return JSON.stringify(a.subject.shape.place) === JSON.stringify(b.subject.shape.place);
}

/** The test with a subject that has no query. */
function rewrittenOf(test: TextTest, family: "path" | "url-path", inference: Inferred): string | undefined {
  const { subject, node } = test;
  const path = withoutQuery(test, family, inference);
  if (path === undefined || subject.node === undefined) return undefined;
  const { findings } = inference;
  const [whole, part] = [findings.rangeOf(node), findings.rangeOf(subject.node)];
  const before = findings.slice({ start: whole.start, end: part.start });
  return `${before}${path}${findings.slice({ start: part.end, end: whole.end })}`;
}

/** The subject, without its query if it has one. */
function withoutQuery(
  { subject }: TextTest,
  family: "path" | "url-path",
  { findings, use }: Inferred,
): string | undefined {
  const text = subject.node && subjectText(subject, findings);
  if (family === "url-path" || text === undefined) return text;
  const isKnown = text === "request.path" && use.manifest.lookup(["request", "url_path"]) !== undefined;
  return isKnown ? "request.url_path" : `$substringBefore(${text}, "?")`;
}
