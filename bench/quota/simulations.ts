// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Progress } from "../../tools/progress.ts";
import { ROOT } from "../machine/repository.ts";
import { type Accuracy, isBroken, measureAccuracy } from "./accuracy/measure.ts";
import { ROWS } from "./accuracy/cells.ts";
import { accuracyMarkdown, accuracyText } from "./accuracy/table.ts";
import { withMarkedPart } from "./marked-part.ts";
import { measureScale, type Scale, scalePlot } from "./scale/measure.ts";
import { SCENARIOS } from "./scale/scenario.ts";
import { scaleMarkdown, scaleText } from "./scale/table.ts";
import type { SimulationFlags } from "./simulation-flags.ts";

/** The parts that ran. */
export interface Simulations {
  readonly accuracy?: Accuracy;
  readonly scale?: Scale;
}

export async function measureSimulations(
  { parts, speeds }: SimulationFlags,
  progress: Progress,
): Promise<Simulations> {
  const at = (what: string): void => progress.at(what);
  return {
    ...(parts.includes("accuracy") ? { accuracy: await measureAccuracy(ROWS, at) } : {}),
    ...(parts.includes("scale") ? { scale: measureScale(SCENARIOS, speeds, at) } : {}),
  };
}

/** The figures as text for a terminal. */
export function simulationsText({ accuracy, scale }: Simulations): string {
  return [
    ...(accuracy === undefined ? [] : [accuracyText(accuracy)]),
    ...(scale === undefined ? [] : [scaleText(scale.scenarios, scale.speeds)]),
  ].join("\n");
}

/** Whether a cell or a scenario breaks its promise. */
export function isBrokenAnywhere({ accuracy, scale }: Simulations): boolean {
  return (
    (accuracy?.rows ?? []).some(({ cells }) => Object.values(cells).some(isBroken)) ||
    (scale?.scenarios ?? []).some(({ over }) => over > 0)
  );
}

/** Writes the files that the flags want; `docs` is the folder of the page about quotas. */
export function writeFiles(
  { accuracy, scale }: Simulations,
  { svg, updateDocs }: Pick<SimulationFlags, "svg" | "updateDocs">,
  docs = join(ROOT, "docs/guides"),
): void {
  if (svg !== undefined && scale !== undefined) writeFileSync(svg, scalePlot(scale));
  if (!updateDocs) return;
  const page = join(docs, "quotas.md");
  let text = readFileSync(page, "utf8");
  if (accuracy !== undefined) text = withMarkedPart(text, "accuracy table", accuracyMarkdown(accuracy));
  if (scale !== undefined) {
    text = withMarkedPart(text, "scale table", scaleMarkdown(scale.scenarios, scale.speeds));
    writeFileSync(join(docs, "quota-scale.svg"), scalePlot(scale));
  }
  writeFileSync(page, text);
}
