// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DecisionRequest, PolicyRule } from "./rules.ts";

/** A policy engine under test: takes the rules once, then decides requests that it has put into its own form before. */
export interface DecisionEngine {
  readonly name: string;
  prepare(rules: readonly PolicyRule[]): Promise<PreparedEngine<unknown>>;
}

export interface PreparedEngine<R> {
  /** Not timed: a gateway builds its request in whatever form its engine takes. */
  request(request: DecisionRequest): R;
  /** Whether it is allowed; a promise when the engine answers later. */
  allows(request: R): boolean | Promise<boolean>;
}
