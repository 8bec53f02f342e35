// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TextTest } from "../text-tests.ts";

/**
 * What a test is trusted with. `catch`: requests that it misses pass a refusal, or are not governed; `admit`: requests that
 * it is true of are let pass.
 */
export type Role = "catch" | "admit";

/** A test in its place. */
export interface PlacedTest {
  readonly test: TextTest;
  readonly role: Role;
  /** The tests that are joined to it by `or`, itself included. */
  readonly group: readonly TextTest[];
}
