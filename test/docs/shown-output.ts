// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Parts of an output that differ from run to run. A page shows a real value; any other value of the same form is the same output:
 * a time in UTC, the date of an HTTP head, a UUID, and a duration with its unit.
 */
const VOLATILE: readonly RegExp[] = [
  /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/,
  /[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT/,
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/,
  /\b\d[\d,]*(?:\.\d+)? ?(?:ns|µs|ms|s)\b/,
];

/** `…` is any text within a line. */
const ELLIPSIS = "…";

/** A line that is nothing but this, or `…`, is any number of lines. */
const ANY_LINES = "...";

/** Whether a command's output is what a page shows, without regard to the carriage returns of HTTP and to white space at the end. */
export function isShown(shown: string, output: string): boolean {
  return shownPattern(shown.trimEnd()).test(`${output.trimEnd().replaceAll("\r\n", "\n")}\n`);
}

function shownPattern(shown: string): RegExp {
  const lines = shown.split("\n").map((line) => {
    const plain = line.trim();
    return plain === ANY_LINES || plain === ELLIPSIS ? "(?:.*\n)*?" : `${linePattern(line)}\n`;
  });
  return new RegExp(`^${lines.join("")}$`);
}

function linePattern(line: string): string {
  const special = new RegExp(`(${ELLIPSIS}|${VOLATILE.map(({ source }) => source).join("|")})`);
  return line
    .split(special)
    .map((part, index) => {
      // The split has the separators at odd places, since the pattern has one group.
      if (index % 2 === 0) return part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
      if (part === ELLIPSIS) return ".*";
      return VOLATILE.find((form) => new RegExp(`^(?:${form.source})$`).test(part))?.source ?? part;
    })
    .join("");
}
