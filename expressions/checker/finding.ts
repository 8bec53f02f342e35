// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Phase } from "../manifest/manifest-spec.ts";
import type { AttributeManifest } from "../manifest/manifest.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";

/**
 * What becomes of an expression's value: `deny`: true refuses the request; `allow`: true lets it pass; `match`: true puts a
 * request under a policy or a quota; `audit`: true has it noted, or changes what no refusal hangs on; `value`: no condition;
 * `any`: it is not known, so that what gives true or false may do any of these.
 */
export type Purpose = "deny" | "allow" | "match" | "audit" | "value" | "any";

/** What an expression is for, and what it may read. */
export interface ExpressionUse {
  readonly purpose: Purpose;
  readonly phase: Phase;
  /** Whether its value is part of a decision that a proxy keeps. */
  readonly cached: boolean;
  readonly manifest: AttributeManifest;
  /** False when not all that declares attributes could be read: none is then called unknown. Default true. */
  readonly complete?: boolean;
  /** Conditions that are true whenever this expression is evaluated: the document's `match`. */
  readonly given?: readonly string[];
}

/** One mistake in an expression; offsets are in UTF-16 units of its source. */
export interface ExpressionFinding {
  readonly code: ErrorCode;
  readonly severity: "error" | "warning";
  readonly message: string;
  /** What to write in place of the part at fault. */
  readonly suggestion?: string;
  readonly start: number;
  readonly end: number;
}
