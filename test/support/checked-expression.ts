// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { type AttributeManifest, mergeManifests } from "../../expressions/manifest/manifest.ts";
import type { AttributeManifestSpec } from "../../expressions/manifest/manifest-spec.ts";
import { checkExpression } from "../../expressions/checker/check-expression.ts";
import type { ExpressionFinding, Purpose } from "../../expressions/checker/finding.ts";
import type { Expression } from "../../core/expressions/expression.ts";
import { compileWithJsonata } from "../../core/expressions/jsonata-engine.ts";

/** The manifest that Purser ships, with `more` attributes. */
export function builtInManifest(more: AttributeManifestSpec["attributes"] = {}): AttributeManifest {
  const file = new URL("../../policies/attribute-manifest.yaml", import.meta.url);
  const { spec } = parse(readFileSync(file, "utf8")) as { spec: AttributeManifestSpec };
  const { manifest, faults } = mergeManifests([spec, { attributes: more }]);
  assert.deepEqual(faults, []);
  return manifest;
}

const BUILT_IN = builtInManifest();

export function compiled(source: string): Expression {
  const result = compileWithJsonata(source);
  assert.ok(result.ok, result.ok ? "" : `${source.slice(0, 100)}: ${result.fault.message}`);
  return result.expression;
}

/** The findings in a policy's condition with the attributes that Purser ships. */
export function checkedBuiltIn(source: string, purpose: Purpose): readonly ExpressionFinding[] {
  return checkExpression(compiled(source), { purpose, phase: "request", cached: true, manifest: BUILT_IN });
}

/** A finding as `warning TYPE: suggestion`. */
export function describeFinding({ severity, code, suggestion }: ExpressionFinding): string {
  return `${severity} ${code.replace("PURSER_EXPR_", "")}${suggestion === undefined ? "" : `: ${suggestion}`}`;
}

/**
 * A mistaken expression, its expected finding, and the correct expression next to it, which has no finding.
 */
export type Mistake = readonly [purpose: Purpose, wrong: string, finding: string, right: string];

/** Declares the tests of a table of mistakes in the current `describe`. */
export function itKnows(mistakes: readonly Mistake[]): void {
  for (const [purpose, wrong, finding, right] of mistakes) {
    it(`warns of (${purpose}) ${wrong}`, () => {
      assert.deepEqual(checkedBuiltIn(wrong, purpose).map(describeFinding), [finding]);
    });

    it(`is silent on (${purpose}) ${right}`, () => {
      assert.deepEqual(checkedBuiltIn(right, purpose).map(describeFinding), []);
    });
  }

  it("have suggestions that correct them", () => {
    for (const [purpose, wrong] of mistakes) {
      for (const { start, end, suggestion, code } of checkedBuiltIn(wrong, purpose)) {
        if (suggestion === undefined) continue;
        const corrected = wrong.slice(0, start) + suggestion + wrong.slice(end);
        const codes = checkedBuiltIn(corrected, purpose).map((finding) => finding.code);
        assert.ok(!codes.includes(code), `${corrected}: ${codes.join()}`);
      }
    }
  });
}
