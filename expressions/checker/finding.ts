// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Phase } from "../manifest/manifest-spec.ts";
import type { AttributeManifest } from "../manifest/manifest.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";

/**
 * The use that the host makes of an expression's value. `deny`: true refuses the request; `allow`: true lets the
 * request pass; `match`: true puts a request under a policy or a quota; `audit`: true notes the request, or
 * changes something that no refusal depends on; `value`: the expression is no condition; `any`: the use is
 * unknown, and an expression that gives true or false may have any of these.
 */
export type Purpose = "deny" | "allow" | "match" | "audit" | "value" | "any";

/** The purpose of an expression, and the attributes that it may read. */
export interface ExpressionUse {
  readonly purpose: Purpose;
  readonly phase: Phase;
  /** Whether the expression's value is part of a decision that a proxy caches. */
  readonly cached: boolean;
  readonly manifest: AttributeManifest;
  /**
   * False when some declarations of attributes could not be read: no attribute is then called unknown.
   * Default true.
   */
  readonly complete?: boolean;
  /** Conditions that are true whenever this expression is evaluated: the document's `match`. */
  readonly given?: readonly string[];
}

/** One mistake in an expression; offsets are in UTF-16 units of the expression's source. */
export interface ExpressionFinding {
  readonly code: ErrorCode;
  readonly severity: "error" | "warning";
  readonly message: string;
  /** The text to write in place of the part at fault. */
  readonly suggestion?: string;
  readonly start: number;
  readonly end: number;
}
