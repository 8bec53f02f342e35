// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Reads } from "../../expressions/runtime/reads/reads.ts";
import type { AttributeBag } from "../attributes/bag.ts";
import type { Scope } from "../check/evaluation.ts";
import type { MetricInstance } from "../templates/instances.ts";
import { exemplarIn } from "./span-facts.ts";
import type { EvaluationContext } from "../expressions/expression.ts";

/** The state that the expressions of one report share. */
export class ReportScope implements Scope {
  readonly bag: AttributeBag;
  cacheable = true;
  readonly #nowMs: number;
  #context: EvaluationContext | undefined;
  #exemplar: MetricInstance["exemplar"] | null = null;

  constructor(bag: AttributeBag, nowMs: number) {
    this.bag = bag;
    this.#nowMs = nowMs;
  }

  /** The request's span, for all metrics of the report. */
  get exemplar(): MetricInstance["exemplar"] {
    if (this.#exemplar === null) this.#exemplar = exemplarIn(this.bag);
    return this.#exemplar;
  }

  /**
   * Made for the first expression that needs the engine: most reports need it for none. Nobody looks at the
   * reads, but expressions that share them find each value once.
   */
  get context(): EvaluationContext {
    return (this.#context ??= { nowMs: this.#nowMs, reads: new Reads(this.bag) });
  }
}
