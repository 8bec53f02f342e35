// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { cpus } from "node:os";

/** The machine of a measurement, without which its numbers mean nothing. */
export function machine(): { readonly node: string; readonly cpu: string } {
  return { node: process.version, cpu: `${cpus()[0]?.model ?? process.arch} (${cpus().length} cores)` };
}
