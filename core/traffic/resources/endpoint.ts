// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** Relative to the other endpoints; at least 1. */
  readonly weight: number;
  readonly labels: Readonly<Record<string, string>>;
  /** The workload's name, when the registry knows it. */
  readonly workload?: string;
}
