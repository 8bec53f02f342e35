// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DecisionRequest, PolicyRule } from "./rules.ts";

/** A policy engine under test: compiles the rules once, then decides requests in its own form. */
export interface DecisionEngine {
  readonly name: string;
  prepare(rules: readonly PolicyRule[]): Promise<PreparedEngine<unknown>>;
}

export interface PreparedEngine<R> {
  /** Converts a request to the engine's form. Not timed: a proxy could build that form directly. */
  request(request: DecisionRequest): R;
  /** Whether the request is allowed; a promise when the engine is asynchronous. */
  allows(request: R): boolean | Promise<boolean>;
}
