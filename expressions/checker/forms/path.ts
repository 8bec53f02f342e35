// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { headerBytesOf } from "../../../kernel/canonical/header-text.ts";
import { Malformed } from "../../../kernel/canonical/malformed.ts";
import { canonicalPath, openEndOf } from "../../../kernel/canonical/path.ts";
import type { Misfit, Span, TextForm } from "./text-form.ts";

/** `request.url_path`: never a query. */
export const URL_PATH: TextForm = {
  noun: "a path",
  letters: "any",
  numeric: false,
  family: "url-path",
  misfit: (text, span) => queryMisfit(text, span) ?? pathMisfit(text, span),
};

/** `request.path`: a query of any content may follow the path. */
export const PATH: TextForm = {
  noun: "a path",
  letters: "any",
  numeric: false,
  family: "path",
  misfit(text, span) {
    if (!span.start) return undefined;
    const mark = text.indexOf("?");
    if (mark < 0) return pathMisfit(text, span);
    const misfit = pathMisfit(text.slice(0, mark), { start: true, end: true });
    const texts = misfit?.texts?.map((path) => path + text.slice(mark));
    return misfit && { reason: misfit.reason, ...(texts === undefined ? {} : { texts }) };
  },
};

function queryMisfit(text: string, span: Span): Misfit | undefined {
  const mark = text.indexOf("?");
  if (mark < 0) return undefined;
  const [path, query] = [text.slice(0, mark), text.slice(mark + 1)];
  const [, name, value] = /^([\w-]+)=([\w.~-]*)$/.exec(query) ?? [];
  const reason = "this path has no query: request.query_params has its parameters, request.path both";
  if (!span.start || !span.end || name === undefined) return { reason, texts: [path] };
  return {
    reason,
    condition: (subject) =>
      `(${subject} = ${JSON.stringify(path)} and request.query_params.${JSON.stringify(name)} = ${JSON.stringify(value)})`,
  };
}

function pathMisfit(text: string, span: Span): Misfit | undefined {
  const url = span.start ? /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*([^]*)$/.exec(text) : null;
  if (url !== null) return { reason: "a path has no scheme and no host", texts: [url[1] || "/"] };
  const hash = text.indexOf("#");
  if (hash >= 0) return { reason: "a fragment never leaves the browser", texts: [text.slice(0, hash)] };
  // OPTIONS * (RFC 9112, 3.2.4).
  if (text === "*") return undefined;
  if (span.start && text !== "" && !text.startsWith("/"))
    return { reason: "a path begins with a slash", texts: [`/${text.replace(/^\\/, "")}`] };
  if (text === "" && span.start && span.end) return { reason: "a path is never empty", texts: ["/"] };
  return wildcardMisfit(text, span) ?? spellingMisfit(text, span);
}

/** Corrects a path template that is compared as a text: `/admin/*`, `/users/:id`, `/users/{id}`. */
function wildcardMisfit(text: string, span: Span): Misfit | undefined {
  if (!span.start || !/\/(?:\*{1,2}|:[A-Za-z_]\w*|\{\w+\}|<\w+>)(?=\/|$)|\w\*{1,2}$/.test(text))
    return undefined;
  const reason = "this compares the text as it stands: wildcards are for $pathMatch and $glob";
  const [, stem] = /^([^*:{<]*[\w-])\*{1,2}$/.exec(text) ?? [];
  if (stem !== undefined)
    return { reason, condition: (subject) => `$startsWith(${subject}, ${JSON.stringify(stem)})` };
  // A text that begins with the template begins with the part before the wildcard.
  if (!span.end) return { reason, texts: [text.slice(0, text.search(/\*|:|\{|</))] };
  const template = asTemplate(text);
  return { reason, condition: (subject) => `$pathMatch(${subject}, ${JSON.stringify(template)})` };
}

/** The path templates of other programs, `/users/:id` and `/users/<id>`, as $pathMatch writes them. */
export function asTemplate(text: string): string {
  return text.replace(
    /\/(?::([A-Za-z_]\w*)|<(?:\w+:)?([A-Za-z_]\w*)>)(?=\/|$)/g,
    (_, colon?: string, angle?: string) => {
      return `/{${colon ?? angle}}`;
    },
  );
}

/**
 * Corrects a path that is not normalised: policies read normalised paths, and pathNormalization is
 * MERGE_SLASHES by default.
 */
function spellingMisfit(text: string, span: Span): Misfit | undefined {
  const open = span.end ? "" : openEndOf(text);
  const closed = text.slice(0, text.length - open.length);
  // The start of the segment that the text is in is not known.
  const lead = closed.startsWith("/") ? "" : "/x";
  const spelt = canonicalPath(headerBytesOf(lead + closed), "MERGE_SLASHES");
  if (spelt instanceof Malformed) return { reason: `a path is normalised, and this one ${spelt.reason}` };
  const normal = spelt.slice(lead.length);
  if (normal === closed) return undefined;
  return { reason: "paths are normalised before policies read them", texts: [normal + open] };
}
