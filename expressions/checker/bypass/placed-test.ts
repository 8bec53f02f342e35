// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TextTest } from "../inference/text-tests.ts";

/**
 * The job of a test. `catch`: requests that the test misses pass a refusal, or are not governed; `admit`:
 * requests that the test is true of are let pass.
 */
export type Role = "catch" | "admit";

/** A test with its role in the condition. */
export interface PlacedTest {
  readonly test: TextTest;
  readonly role: Role;
  /** The tests that `or` joins to this one, itself included. */
  readonly group: readonly TextTest[];
}
