// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Diagnostic, formatDiagnostic } from "../kernel/diagnostic.ts";
import { PurserError } from "../kernel/errors.ts";

/** Error for a configuration with faults; the message lists all faults, one per line. */
export class ConfigRejected extends PurserError {
  constructor(diagnostics: readonly Diagnostic[]) {
    const lines = diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, { remedy: true }));
    const noun = diagnostics.length === 1 ? "fault" : "faults";
    super(
      "PURSER_CONFIG_REJECTED",
      `${lines.join("\n")}\n${diagnostics.length} ${noun} in the configuration`,
    );
  }
}
