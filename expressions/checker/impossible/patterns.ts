// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { compileRegex } from "../../../kernel/matching/regex.ts";
import { asTemplate } from "../forms/path.ts";
import { corrected, ignoringLetters, type Misfit, misfitOf, type TextForm } from "../forms/text-form.ts";
import type { Inferred } from "../inference/inferred.ts";
import { runsOfGlob, waysOf } from "../patterns.ts";
import type { TextTest } from "../inference/text-tests.ts";
import { note } from "./note.ts";

/** Checks `$contains` and `$match` with a regular expression. */
export function checkPattern(test: TextTest, inference: Inferred): void {
  const [constant] = test.constants;
  const pattern = constant?.shape.pattern;
  const { form } = test.subject.shape;
  if (constant === undefined || pattern === undefined || form === undefined) return;
  const found = misfitOfPattern(form, pattern);
  if (found === undefined) return;
  const { misfit, isOfLetters } = found;
  const literal = constant.node?.type === "regex" ? inference.findings.textOf(constant.node) : undefined;
  const fixed =
    literal === undefined
      ? undefined
      : isOfLetters
        ? `${literal}i`
        : /^\/\^\w/.test(literal) && misfit.reason === "a path begins with a slash"
          ? literal.replace(/^\/\^/, "/^\\/")
          : undefined;
  note(test, constant, misfit, inference, fixed === undefined ? {} : { at: constant, suggestion: fixed });
}

interface PatternMisfit {
  readonly misfit: Misfit;
  /** Whether the pattern would match without regard to case. */
  readonly isOfLetters: boolean;
}

/** The reason why no value of `form` has a match of `pattern`. */
function misfitOfPattern(form: TextForm, pattern: RegExp): PatternMisfit | undefined {
  const flags = pattern.flags.replace("g", "");
  if (form.values !== undefined) return misfitOfValues(form, pattern.source, flags);
  const ways = waysOf(pattern);
  if (ways === undefined || ways.length === 0) return undefined;
  const isCaseless = flags.includes("i");
  const letterless = ignoringLetters(form);
  let first: Misfit | undefined;
  let isOfLetters = true;
  for (const { runs } of ways) {
    const structural = runs
      .map((run) => letterless.misfit(run.text, run))
      .find((misfit) => misfit !== undefined);
    const lettered = isCaseless
      ? undefined
      : runs.map((run) => misfitOf(form, run.text, run)).find((misfit) => misfit !== undefined);
    const misfit = structural ?? lettered;
    if (misfit === undefined) return undefined;
    if (structural !== undefined) isOfLetters = false;
    first ??= misfit;
  }
  return first && { misfit: first, isOfLetters };
}

function misfitOfValues(form: TextForm, source: string, flags: string): PatternMisfit | undefined {
  const matchesSome = (given: string): boolean => {
    const result = compileRegex(source, given);
    return !result.ok || (form.values ?? []).some((value) => result.regex.test(value));
  };
  if (matchesSome(flags)) return undefined;
  const misfit: Misfit = {
    reason: `it is one of ${(form.values ?? []).map((v) => JSON.stringify(v)).join(", ")}`,
  };
  return { misfit, isOfLetters: !flags.includes("i") && matchesSome(`${flags}i`) };
}

/** Checks `$glob` and `$pathMatch`. */
export function checkShape(test: TextTest, inference: Inferred): void {
  const [constant] = test.constants;
  const text = constant?.shape.constant;
  const { form } = test.subject.shape;
  if (constant === undefined || typeof text !== "string") return;
  if (test.manner === "template") {
    const template = asTemplate(text);
    if (template !== text) {
      const misfit = {
        reason: "a variable of a path template is written {id}, and this compares the text as it stands",
      };
      note(test, constant, misfit, inference, { at: constant, suggestion: JSON.stringify(template) });
      return;
    }
  }
  if (form === undefined) return;
  // `$pathMatch` ignores the path's query.
  const runs =
    test.manner === "glob"
      ? runsOfGlob(text)
      : [{ text: text.replace(/\{[^}]*\}|\*+/g, "x"), start: true, end: !text.endsWith("**") }];
  for (const run of runs) {
    const misfit = misfitOf(form, run.text, run);
    if (misfit === undefined) continue;
    const fixed = corrected(form, run.text, run);
    const isPlain = test.manner === "glob" && fixed !== undefined;
    const suggestion = isPlain ? JSON.stringify(text.replace(run.text, () => fixed)) : undefined;
    note(test, constant, misfit, inference, suggestion === undefined ? {} : { at: constant, suggestion });
    return;
  }
}
