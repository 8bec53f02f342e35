// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { TEMPLATE_NAMES, TEMPLATE_VARIETY, type TemplateName } from "../../core/templates/template-names.ts";
import { PurserError } from "../../kernel/errors.ts";
import { suggest } from "../../kernel/suggest.ts";

/**
 * The templates that `--template` names, each once, in the order of TEMPLATE_NAMES.
 *
 * @throws PurserError PURSER_CLI_USAGE for a name that is no template, or not one of a plugin.
 */
export function templatesFor(
  kind: "adapter" | "plugin",
  written: string | undefined,
): readonly TemplateName[] {
  if (written === undefined) return kind === "adapter" ? ["logentry"] : [];
  const known =
    kind === "adapter" ? TEMPLATE_NAMES : TEMPLATE_NAMES.filter((name) => TEMPLATE_VARIETY[name] === "check");
  const names = written.split(",").map((name) => name.trim());
  for (const name of names) {
    if ((known as readonly string[]).includes(name)) continue;
    const near = suggest(name, known);
    const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
    const message = `--template: ${JSON.stringify(name.slice(0, 80))} is not a template of ${kind}s${hint}; these are ${known.join(", ")}`;
    throw new PurserError("PURSER_CLI_USAGE", message);
  }
  return known.filter((name) => names.includes(name));
}
