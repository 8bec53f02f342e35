// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The documents of a command that is given none: those of the present folder. */
export const PRESENT_FOLDER: readonly string[] = ["."];

/** The advice of such a command when the present folder has no documents; `reading` is the command line for another folder. */
export function adviceForEmptyFolder(reading: string): string {
  return `\`purser init\` writes documents to begin with; \`${reading}\` reads those of a folder.\n`;
}
