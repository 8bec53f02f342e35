// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CallContext } from "../../kernel/deadline.ts";

/** The addresses of a name. */
export interface NameAnswer {
  /**
   * IP addresses in the order of the answer. Empty when there is no such name, or it has no address: that is an
   * answer, and not a failure.
   */
  readonly addresses: readonly string[];
  /** How long the answer may be used; undefined when its source does not say. */
  readonly ttlMs: number | undefined;
}

/** Looks up a name; rejects when nobody could answer. The call's signal ends the work. */
export type NameLookup = (name: string, call: CallContext) => Promise<NameAnswer>;
