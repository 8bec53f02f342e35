// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DocumentRef } from "../check/document-ref.ts";
import type { Fault, Scope } from "../check/evaluation.ts";
import type { Expression } from "../expressions/expression.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { ReportInstance } from "../templates/instances.ts";

/** The documents of a snapshot that say what to tell of each request. Made once a snapshot. */
export interface ReportPlan {
  readonly sources: readonly ReportSource[];
}

/** One instance to fill for each bag that matches, and who takes it. */
export interface ReportSource {
  readonly ref: DocumentRef;
  readonly match: Expression | undefined;
  readonly handlers: readonly string[];
  readonly fill: FillInstance;
}

/**
 * The instance for the bag in `scope`; undefined when the bag gives nothing to tell. `timeMs`: when it happened;
 * `snapshot`: the version of the documents, where known.
 */
export type FillInstance = (
  scope: Scope,
  timeMs: number,
  snapshot?: string,
) => MaybePromise<ReportInstance | undefined | Fault>;
