// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

// Imports have one direction: no file imports itself through others (a cycle), and folders of large rooms are
// layered in floors. An import of a type counts as any other: lint (import/no-cycle) ignores type imports, so
// these tests read all imports.

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const NO_SOURCES: ReadonlySet<string> = new Set(["node_modules", "dist", "coverage", "test", ".git"]);

/** Floors of the folders of large rooms: a file imports from its own folder and from lower floors. */
const FLOORS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  expressions: [
    ["data.ts", "limits.ts", "errors"],
    ["manifest", "syntax"],
    ["runtime"],
    ["functions"],
    ["analysis"],
    ["checker", "compiler", "interpreter"],
    ["tracing"],
    ["engine.ts"],
    ["public"],
    ["index.ts"],
  ],
  core: [
    ["attributes", "identity", "quota", "traffic"],
    ["expressions", "templates", "exposition"],
    ["hooks"],
    ["documents"],
    ["snapshot"],
    ["check"],
    ["verdict", "report"],
    ["changes", "explain", "replay"],
    ["policy-tests"],
  ],
  proxy: [
    ["transport", "control-plane"],
    ["upstream", "policy", "identity", "authentication"],
    ["snapshot"],
    ["exchange"],
    ["filters"],
    ["pipeline"],
    ["listeners"],
    ["tcp"],
    ["discovery", "names"],
    ["admin"],
    ["proxy.ts"],
    ["workers"],
  ],
};

/** Imported files of each file, by path from the root. */
type Imports = ReadonlyMap<string, readonly string[]>;

describe("the imports of all rooms", () => {
  it("include imports of types", () => {
    const imports = importsIn(ROOT);
    assert.ok(imports.size > 500, `only ${imports.size} files were found`);
    assert.ok(
      imports
        .get("expressions/checker/inference/inferred.ts")
        ?.includes("expressions/checker/inference/kinds.ts"),
    );
  });

  it("have no cycle", () => {
    assert.deepEqual(circlesIn(importsIn(ROOT)), []);
  });

  for (const room of Object.keys(FLOORS))
    it(`lead from the upper floors of ${room}/ to the lower`, () => {
      assert.deepEqual(climbingIn(importsIn(ROOT), room), []);
    });
});

describe("the tests of imports", () => {
  let copy: string;

  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), "purser-imports-"));
  });

  afterEach(() => rmSync(copy, { recursive: true, force: true }));

  const plant = (file: string, text: string): void => {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), text);
  };

  it("find a cycle of three files, one of whose imports is of a type", () => {
    plant("core/a.ts", 'import { b } from "./inner/b.ts";\nexport const a = b;\n');
    plant("core/inner/b.ts", 'import type { C } from "./c.ts";\nexport const b: C = 1;\n');
    plant("core/inner/c.ts", 'export type C = number;\nexport { a } from "../a.ts";\n');
    plant("core/d.ts", 'import { a } from "./a.ts";\nexport const d = a;\n');
    assert.deepEqual(circlesIn(importsIn(copy)), [["core/a.ts", "core/inner/b.ts", "core/inner/c.ts"]]);
  });

  it("find a type that is imported inline", () => {
    plant("core/a.ts", 'export const a: import("./b.ts").B = 1;\n');
    plant("core/b.ts", 'import {\n  a,\n} from "./a.ts";\nexport type B = typeof a;\n');
    assert.deepEqual(circlesIn(importsIn(copy)), [["core/a.ts", "core/b.ts"]]);
  });

  it("find an import from an upper floor, and a folder without a floor", () => {
    plant(
      "expressions/runtime/a.ts",
      'import type { B } from "../compiler/b.ts";\nexport const a: B | 0 = 0;\n',
    );
    plant("expressions/compiler/b.ts", "export type B = number;\n");
    plant(
      "expressions/attic/c.ts",
      'import type { B } from "../compiler/b.ts";\nexport const c: B | 0 = 0;\n',
    );
    assert.deepEqual(climbingIn(importsIn(copy), "expressions"), [
      "expressions/attic/c.ts stands on no floor",
      "expressions/runtime/a.ts imports expressions/compiler/b.ts",
    ]);
  });
});

/** Matches imports, re-exports and inline type imports. */
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g;

function importsIn(root: string): Imports {
  const files = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !NO_SOURCES.has(entry.name) && !entry.name.startsWith("."))
    .flatMap(({ name }) =>
      readdirSync(join(root, name), { recursive: true, encoding: "utf8" }).map((file) => join(name, file)),
    )
    .filter((file) => /(?<!\.test)\.ts$/.test(file) && !file.includes("node_modules"));
  return new Map(
    files.sort().map((file) => {
      const text = readFileSync(join(root, file), "utf8");
      const imported = [...text.matchAll(IMPORT)].map(([, path]) =>
        relative(root, resolve(root, dirname(file), path ?? "")),
      );
      return [file, [...new Set(imported)]];
    }),
  );
}

/** Import cycles: strongly connected components, by Tarjan's algorithm. */
function circlesIn(imports: Imports): string[][] {
  const numbers = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): void => {
    numbers.set(file, numbers.size);
    lowest.set(file, numbers.get(file) ?? 0);
    path.push(file);
    for (const next of imports.get(file) ?? []) {
      if (!imports.has(next)) continue;
      if (!numbers.has(next)) visit(next);
      if (path.includes(next))
        lowest.set(file, Math.min(lowest.get(file) ?? 0, lowest.get(next) ?? 0, numbers.get(next) ?? 0));
    }
    if (lowest.get(file) !== numbers.get(file)) return;
    const circle = path.splice(path.indexOf(file));
    if (circle.length > 1 || imports.get(file)?.includes(file) === true) circles.push(circle.sort());
  };
  for (const file of imports.keys()) if (!numbers.has(file)) visit(file);
  return circles;
}

/** Imports within a room that do not lead to a lower floor, and files on no floor. */
function climbingIn(imports: Imports, room: string): string[] {
  const floorOf = (part: string): number => (FLOORS[room] ?? []).findIndex((floor) => floor.includes(part));
  const partOf = (file: string): string | undefined => {
    const [folder, part] = file.split("/");
    return folder === room ? part : undefined;
  };
  return [...imports].flatMap(([file, imported]) => {
    const part = partOf(file);
    if (part === undefined) return [];
    if (floorOf(part) < 0) return [`${file} stands on no floor`];
    return imported
      .filter((other) => {
        const target = partOf(other);
        return target !== undefined && target !== part && floorOf(target) >= floorOf(part);
      })
      .map((other) => `${file} imports ${other}`);
  });
}
