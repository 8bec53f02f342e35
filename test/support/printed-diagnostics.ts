// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

const HEAD = /^.+:\d+:\d+: (error|warning|note): .*\[(PURSER_\w+)\]$/;

/** A diagnostic as a command prints it. */
export interface PrintedDiagnostic {
  /** `file:line:column: severity: message [CODE]`. */
  readonly head: string;
  /** `severity CODE`. */
  readonly kind: string;
  /** The last of the indented lines below, after the excerpt of the source; undefined when there is none. */
  readonly remedy: string | undefined;
}

/** The diagnostics in the output of `purser validate`, or in the error of `purser run`, in their order. */
export function printedDiagnostics(text: string): readonly PrintedDiagnostic[] {
  const lines = text.split("\n");
  return lines.flatMap((head, index) => {
    const [, severity, code] = HEAD.exec(head) ?? [];
    if (severity === undefined) return [];
    const below = lines.slice(index + 1);
    const end = below.findIndex((line) => !line.startsWith("    "));
    const remedy = below.slice(0, end === -1 ? below.length : end).at(-1);
    return [{ head, kind: `${severity} ${code}`, remedy }];
  });
}
