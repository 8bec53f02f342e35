// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { surfaceOf } from "../support/declaration-files.ts";

/** Declaration files as the compiler writes them. */
const FILES: Readonly<Record<string, string>> = {
  "sdk/index.d.ts": `/** The SDK. */
export { type Shape, area as areaOf } from "../core/shape.ts";
export { default as Type, type Static } from "typebox";
export type { Loop } from "../core/loop.ts";
export declare const LIMIT = 3;
//# sourceMappingURL=index.d.ts.map
`,
  "sdk/testing.d.ts": 'export { sample } from "../core/shape.ts";\n',
  "core/shape.d.ts": `import type { Unit } from "./unit.ts";
/** A shape. */
export interface Shape {
    /** Its unit; see Hidden. */
    readonly unit: Unit;
}
interface Hidden {
    a: 1;
}
export declare function area(shape: Shape): number;
export declare function area(shape: Shape, unit: Unit): number;
export declare function sample(): Shape;
export {};
`,
  "core/unit.d.ts": `export declare const UNITS: {
    readonly m: {
        readonly name: "metre";
    };
};
export type Unit = keyof typeof UNITS;
`,
  "core/loop.d.ts": `export interface Loop {
    readonly next?: Loop;
}
`,
};

describe("the SDK's surface", () => {
  let root: string;
  before(() => {
    root = `${mkdtempSync(join(tmpdir(), "purser-surface-"))}/`;
    for (const [path, text] of Object.entries(FILES)) {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  it("has each exported name with its signatures, in order, and what these refer to", () => {
    const { exported, internal } = surfaceOf(root, ["sdk/index", "sdk/testing"]);
    assert.deepEqual(exported, [
      [
        "export const LIMIT = 3;",
        "export interface Loop {\n    readonly next?: Loop;\n}",
        "export interface Shape {\n    readonly unit: Unit;\n}",
        'export { Static as Static } from "typebox";',
        'export { default as Type } from "typebox";',
        "export function area(shape: Shape): number;\nexport function area(shape: Shape, unit: Unit): number;",
      ],
      ["export function sample(): Shape;"],
    ]);
    assert.deepEqual(internal, [
      "const UNITS: {\n    readonly m: { … };\n};",
      "type Unit = keyof typeof UNITS;",
    ]);
  });
});
