// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { headerBytesOf } from "../../../kernel/canonical/header-text.ts";
import { Malformed } from "../../../kernel/canonical/malformed.ts";
import { canonicalPath, openEndOf, type PathNormalization } from "../../../kernel/canonical/path.ts";
import type { HttpMatchSpec } from "../kinds/virtual-service-match.ts";

/**
 * Why no request has a path that the match holds for: routes compare paths in canonical form. Undefined for a match that
 * can hold, and for a regular expression.
 */
export function whyUnmatched(
  { uri, ignoreUriCase = false }: Pick<HttpMatchSpec, "uri" | "ignoreUriCase">,
  normalization: PathNormalization,
): string | undefined {
  const written = uri?.exact ?? uri?.prefix;
  if (written === undefined || written === "") return undefined;
  if (!written.startsWith("/")) return "a path begins with /";
  if (/[?#]/.test(written)) return "a path has no query; write its parameters under queryParams";
  const open = uri?.prefix === undefined ? "" : openEndOf(written);
  const closed = written.slice(0, written.length - open.length);
  // An open end may be all of the text: "/.".
  const canonical = closed === "" ? closed : canonicalPath(headerBytesOf(closed), normalization);
  if (canonical instanceof Malformed) return `a path that ${canonical.reason} is refused`;
  const isCanonical = ignoreUriCase ? canonical.toLowerCase() === closed.toLowerCase() : canonical === closed;
  return isCanonical ? undefined : `paths are compared in canonical form; write ${canonical}${open}`;
}
