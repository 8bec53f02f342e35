// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DocumentRef } from "../check/document-ref.ts";
import type { Fault } from "../check/evaluation.ts";
import type { Expression } from "../expressions/expression.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { ReportInstance } from "../templates/instances.ts";
import type { TemplateName } from "../templates/template-names.ts";
import type { ReportScope } from "./report-scope.ts";

/** The documents of a snapshot that report on requests; planned once per snapshot. */
export interface ReportPlan {
  readonly sources: readonly ReportSource[];
}

/** An instance to fill for each matching bag, and the handlers that receive it. */
export interface ReportSource {
  readonly ref: DocumentRef;
  readonly match: Expression | undefined;
  readonly handlers: readonly string[];
  /** The template of the source's instances. */
  readonly template: TemplateName;
  readonly fill: FillInstance;
}

/** The instance of a source, which is of the source's template. */
export type SourceInstance = ReportInstance["instance"];

/** undefined: there is nothing to report. */
export type Filled = SourceInstance | undefined | Fault;

/**
 * Fills the instance for the bag in `scope`. `timeMs`: when the request ended; `snapshot`: the version of the
 * documents, if known.
 */
export type FillInstance = (scope: ReportScope, timeMs: number, snapshot?: string) => MaybePromise<Filled>;
