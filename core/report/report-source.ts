// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DocumentRef } from "../check/document-ref.ts";
import type { Fault, Scope } from "../check/evaluation.ts";
import type { Expression } from "../expressions/expression.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { ReportInstance } from "../templates/instances.ts";

/** The documents of a snapshot that report on requests; planned once per snapshot. */
export interface ReportPlan {
  readonly sources: readonly ReportSource[];
}

/** An instance to fill for each matching bag, and the handlers that receive it. */
export interface ReportSource {
  readonly ref: DocumentRef;
  readonly match: Expression | undefined;
  readonly handlers: readonly string[];
  readonly fill: FillInstance;
}

/**
 * Fills the instance for the bag in `scope`; undefined when there is nothing to report. `timeMs`: when the
 * request ended; `snapshot`: the version of the documents, if known.
 */
export type FillInstance = (
  scope: Scope,
  timeMs: number,
  snapshot?: string,
) => MaybePromise<ReportInstance | undefined | Fault>;
