// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

export interface Case {
  readonly name: string;
  /** JSONata source. */
  readonly source: string;
  /** Variables, by name without the `$`. */
  readonly bindings?: Readonly<Record<string, unknown>>;
}
