// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Diagnostic, formatDiagnostic } from "../kernel/diagnostic.ts";
import { PurserError } from "../kernel/errors.ts";

/** Error for a configuration with faults; the message lists all diagnostics with their remedies, and counts the errors. */
export class ConfigRejected extends PurserError {
  constructor(diagnostics: readonly Diagnostic[]) {
    const lines = diagnostics.map((diagnostic) =>
      formatDiagnostic(diagnostic, { remedy: diagnostic.severity !== "note" }),
    );
    const errors = diagnostics.filter(({ severity }) => severity === "error").length;
    super(
      "PURSER_CONFIG_REJECTED",
      `${lines.join("\n")}\n${errors} ${errors === 1 ? "fault" : "faults"} in the configuration`,
    );
  }
}
