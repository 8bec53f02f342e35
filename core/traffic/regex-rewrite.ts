// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Malformed } from "../../kernel/canonical/malformed.ts";
import type { PathNormalization } from "../../kernel/canonical/path.ts";
import { PurserError } from "../../kernel/errors.ts";
import { compileReplacement, type Replacement } from "../../kernel/matching/re2-replacement.ts";
import type { StepBudget } from "../../kernel/matching/regex/meter.ts";
import { forwardedPath } from "./request-target.ts";
import type { PathRewrite } from "./resources/route.ts";

/** The longest rewritten path, in characters: Envoy's limit for a header block, which no path can exceed on arrival. */
const MAX_PATH_CHARS = 60 * 1024;

/** A route's `uriRegexRewrite`, compiled once. */
export class RegexRewrite {
  readonly #replacement: Replacement;
  readonly #budget: StepBudget;

  /**
   * @param budget Started anew for each path.
   * @throws {PurserError} PURSER_INTERNAL for an invalid expression: documents with one are refused at load.
   */
  constructor(rule: Extract<PathRewrite, { readonly kind: "regex" }>, budget: StepBudget) {
    const compiled = compileReplacement(rule.pattern, rule.substitution);
    if (!compiled.ok)
      throw new PurserError("PURSER_INTERNAL", `rewrite by ${rule.pattern}: ${compiled.message}`);
    this.#replacement = compiled.replacement;
    this.#budget = budget;
  }

  /**
   * The path to forward, in canonical form. Malformed for one that could not have arrived either: the parts of a
   * request may together make dot segments or escapes that servers read differently.
   *
   * @param path Canonical; without the query.
   * @throws {PurserError} PURSER_PROXY_MATCH_TOO_LONG when the expression takes too long for this path.
   */
  rewrite(path: string, normalization: PathNormalization): string | Malformed {
    this.#budget.start();
    const rewritten = this.#replacement.replaceAll(path, MAX_PATH_CHARS, this.#budget);
    if (rewritten === undefined) return new Malformed(`is longer than ${MAX_PATH_CHARS} characters`);
    if (!rewritten.startsWith("/")) return new Malformed("does not begin with a slash");
    return forwardedPath(rewritten, normalization);
  }
}
