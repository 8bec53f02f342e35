// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// Two fences keep the rooms apart: the compiler settings of pure rooms know no platform types, and lint
// forbids imports between rooms. Each test plants a trespasser in a copy of the fence and expects an error,
// so that a broken fence shows.

/** Rooms that are compiled without platform types, lowest floor first. */
const PURE_ROOMS = ["kernel", "expressions", "core", "delivery"];

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

describe("the fences between rooms", function () {
  this.timeout(60_000);
  let copy: string;

  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), "purser-fences-"));
    for (const file of [
      ".oxlintrc.json",
      "tsconfig.base.json",
      ...PURE_ROOMS.map((room) => `${room}/tsconfig.json`),
    ]) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      cpSync(join(ROOT, file), join(copy, file));
    }
    symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
    writeFileSync(join(copy, "package.json"), '{"type":"module"}');
  });

  afterEach(() => rmSync(copy, { recursive: true, force: true }));

  const plant = (file: string, text: string): void => {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), text);
  };

  /** Puts a file into each pure room, because a room without a file is a compiler error of its own. */
  const plantPureFloors = (): void => {
    for (const room of PURE_ROOMS) plant(`${room}/pure.ts`, "export const x: number = 1;\n");
  };

  const run = (program: string, ...args: string[]): { status: number | null; output: string } => {
    const { status, stdout, stderr } = spawnSync(join(ROOT, "node_modules/.bin", program), args, {
      cwd: copy,
      encoding: "utf8",
    });
    return { status, output: stdout + stderr };
  };

  const impure: ReadonlyArray<readonly [what: string, text: string, error: RegExp]> = [
    [
      "a node: module",
      'import { readFileSync } from "node:fs";\nexport const x = readFileSync;\n',
      /TS2591|TS2307/,
    ],
    ["the process", "export const x = process.env;\n", /TS2591|TS2304|TS2580/],
    ["a timer", "export const x = setTimeout(() => {}, 1);\n", /TS2304|TS2552/],
    ["the network", 'export const x = fetch("http://127.0.0.1");\n', /TS2304|TS2552/],
  ];
  for (const room of PURE_ROOMS) {
    for (const [what, text, error] of impure) {
      it(`${room} cannot be compiled with ${what}`, () => {
        plantPureFloors();
        plant(`${room}/impure.ts`, text);
        const { status, output } = run("tsc", "-b", room);
        assert.notEqual(status, 0);
        assert.match(output, error);
      });
    }
  }

  it("compiles a pure file in each room, so that the refusals are due to the fence", () => {
    plantPureFloors();
    assert.deepEqual(run("tsc", "-b", ...PURE_ROOMS), { status: 0, output: "" });
  });

  const trespasses: ReadonlyArray<readonly [file: string, text: string]> = [
    ["kernel/x.ts", "export const x: number = Date.now();\n"],
    ["kernel/x.ts", 'import { y } from "../core/y.ts";\nexport const x: unknown = y;\n'],
    ["expressions/x.ts", "export const x: number = Date.now();\n"],
    ["expressions/runtime/x.ts", 'import { y } from "../../core/y.ts";\nexport const x: unknown = y;\n'],
    ["kernel/x.ts", 'import { y } from "../expressions/y.ts";\nexport const x: unknown = y;\n'],
    ["core/x.ts", "export const x: number = Date.now();\n"],
    ["core/x.ts", "export const x: number = Math.random();\n"],
    [
      "core/check/x.ts",
      'import { y } from "../../expressions/compiler/y.ts";\nexport const x: unknown = y;\n',
    ],
    [
      "core/check/x.ts",
      'import { y } from "../../expressions/syntax/ast.ts";\nexport const x: unknown = y;\n',
    ],
    [
      "core/explain/x.ts",
      'import { y } from "../../expressions/interpreter/y.ts";\nexport const x: unknown = y;\n',
    ],
    [
      "core/explain/x.ts",
      'import { y } from "../../expressions/runtime/guard.ts";\nexport const x: unknown = y;\n',
    ],
    [
      "core/documents/kinds/x.ts",
      'import { y } from "../../../expressions/checker/bypass/y.ts";\nexport const x: unknown = y;\n',
    ],
    ["core/check/x.ts", 'import { y } from "../../expressions/engine.ts";\nexport const x: unknown = y;\n'],
    [
      "core/expressions/x.ts",
      'import { y } from "../../expressions/compiler/y.ts";\nexport const x: unknown = y;\n',
    ],
    [
      "core/quota/x.ts",
      'import { y } from "../../expressions/functions/y.ts";\nexport const x: unknown = y;\n',
    ],
    ["mixer/x.ts", 'import { y } from "../expressions/engine.ts";\nexport const x: unknown = y;\n'],
    [
      "proxy/policy/x.ts",
      'import { y } from "../../expressions/runtime/guard.ts";\nexport const x: unknown = y;\n',
    ],
    ["tools/explain/x.ts", 'import { y } from "../../expressions/index.ts";\nexport const x: unknown = y;\n'],
    ["core/x.ts", 'import { y } from "../mixer/y.ts";\nexport const x: unknown = y;\n'],
    ["core/traffic/x.ts", 'import { y } from "../documents/y.ts";\nexport const x: unknown = y;\n'],
    [
      "core/traffic/resources/x.ts",
      'import { y } from "../../attributes/bag.ts";\nexport const x: unknown = y;\n',
    ],
    ["core/quota/x.ts", 'import { y } from "../check/y.ts";\nexport const x: unknown = y;\n'],
    ["core/verdict/x.ts", 'import { y } from "../snapshot/y.ts";\nexport const x: unknown = y;\n'],
    ["core/verdict/x.ts", 'import { y } from "../documents/kinds/y.ts";\nexport const x: unknown = y;\n'],
    ["core/verdict/x.ts", 'import { y } from "../traffic/y.ts";\nexport const x: unknown = y;\n'],
    ["core/verdict/x.ts", 'import { y } from "node:http";\nexport const x: unknown = y;\n'],
    ["core/quota/counting/x.ts", 'import { y } from "../../snapshot/y.ts";\nexport const x: unknown = y;\n'],
    ["core/quota/x.ts", 'import { y } from "../../mixer/y.ts";\nexport const x: unknown = y;\n'],
    ["api/x.ts", 'import { y } from "../mixer/y.ts";\nexport const x: unknown = y;\n'],
    ["api/json/x.ts", 'import { y } from "../../mixer/y.ts";\nexport const x: unknown = y;\n'],
    ["api/json/x.ts", 'import { y } from "../mixer-v1/y.ts";\nexport const x: unknown = y;\n'],
    ["api/json/schema/x.ts", 'import { y } from "../../mixer-v1/y.ts";\nexport const x: unknown = y;\n'],
    ["api/x.ts", 'import { y } from "../server/y.ts";\nexport const x: unknown = y;\n'],
    ["kernel/x.ts", 'import { y } from "../server/y.ts";\nexport const x: unknown = y;\n'],
    ["core/x.ts", 'import { y } from "../server/y.ts";\nexport const x: unknown = y;\n'],
    ["server/http/x.ts", 'import { y } from "../../mixer/y.ts";\nexport const x: unknown = y;\n'],
    ["server/http/x.ts", 'import { y } from "../../proxy/y.ts";\nexport const x: unknown = y;\n'],
    ["delivery/x.ts", 'import { y } from "../mixer/y.ts";\nexport const x: unknown = y;\n'],
    ["delivery/x.ts", 'import { y } from "../server/y.ts";\nexport const x: unknown = y;\n'],
    ["delivery/x.ts", 'import { readFile } from "node:fs";\nexport const x: unknown = readFile;\n'],
    ["delivery/x.ts", "export const x: number = Date.now();\n"],
    ["delivery/x.ts", "export const x: unknown = setTimeout(() => {}, 1);\n"],
    ["core/x.ts", 'import { y } from "../delivery/y.ts";\nexport const x: unknown = y;\n'],
    ["core/quota/x.ts", 'import { y } from "../../delivery/y.ts";\nexport const x: unknown = y;\n'],
    ["core/traffic/x.ts", 'import { y } from "../../server/y.ts";\nexport const x: unknown = y;\n'],
    ["pilot/x.ts", 'import { y } from "../identity/identity.ts";\nexport const x: unknown = y;\n'],
    ["proxy/x.ts", 'import { y } from "../identity/authority/signer.ts";\nexport const x: unknown = y;\n'],
    ["proxy/identity/x.ts", 'import { y } from "../../identity/peer.ts";\nexport const x: unknown = y;\n'],
    [
      "core/identity/x.ts",
      'import { y } from "../../identity/state/state.ts";\nexport const x: unknown = y;\n',
    ],
    ["identity/x.ts", 'import { y } from "../proxy/identity/y.ts";\nexport const x: unknown = y;\n'],
    ["identity/servers/x.ts", 'import { y } from "../../mixer/y.ts";\nexport const x: unknown = y;\n'],
    ["pilot/x.ts", 'import { y } from "../delivery/y.ts";\nexport const x: unknown = y;\n'],
    ["config/x.ts", 'import { y } from "../server/y.ts";\nexport const x: unknown = y;\n'],
    ["adapters/mine/x.ts", 'import { y } from "../../server/http/y.ts";\nexport const x: unknown = y;\n'],
    ["plugins/mine/x.ts", 'import { y } from "../../core/y.ts";\nexport const x: unknown = y;\n'],
    [
      "plugins/mine/x.ts",
      'import { readFileSync } from "node:fs";\nexport const x: unknown = readFileSync;\n',
    ],
    ["adapters/mine/x.ts", 'import { y } from "../../core/kernel/y.ts";\nexport const x: unknown = y;\n'],
    [
      "adapters/mine/x.ts",
      'import { y } from "../../expressions/errors/y.ts";\nexport const x: unknown = y;\n',
    ],
    [
      "plugins/mine/x.ts",
      'import { y } from "../../expressions/errors/y.ts";\nexport const x: unknown = y;\n',
    ],
    ["config/x.ts", 'import { y } from "../mixer/y.ts";\nexport const x: unknown = y;\n'],
    ["mixer/x.ts", 'import { y } from "../proxy/y.ts";\nexport const x: unknown = y;\n'],
    ["mixer/x.ts", 'import { y } from "../adapters/y.ts";\nexport const x: unknown = y;\n'],
    ["pilot/x.ts", 'import { y } from "../mixer/y.ts";\nexport const x: unknown = y;\n'],
    ["proxy/upstream/x.ts", 'import { request } from "node:http";\nexport const x: unknown = request;\n'],
    ["proxy/tcp/x.ts", 'import { connect } from "node:net";\nexport const x: unknown = connect;\n'],
    ["proxy/filters/x.ts", 'import { Pool } from "undici";\nexport const x: unknown = Pool;\n'],
    [
      "proxy/transport/contract/x.ts",
      'import { Readable } from "node:stream";\nexport const x: unknown = Readable;\n',
    ],
    ["proxy/transport/x.ts", 'import { y } from "../../pilot/y.ts";\nexport const x: unknown = y;\n'],
    ["proxy/x.ts", 'import { y } from "../pilot/y.ts";\nexport const x: unknown = y;\n'],
    ["tools/replay/x.ts", 'import { y } from "../../cli/y.ts";\nexport const x: unknown = y;\n'],
    ["proxy/filters/x.ts", 'import { y } from "../../mixer/y.ts";\nexport const x: unknown = y;\n'],
  ];
  const doors: ReadonlyArray<readonly [file: string, path: string]> = [
    ["core/check/x.ts", "../../expressions/analysis/key-tests.ts"],
    ["core/documents/x.ts", "../../expressions/checker/check-expression.ts"],
    ["core/explain/x.ts", "../../expressions/tracing/traced-expression.ts"],
    ["core/expressions/x.ts", "../../expressions/engine.ts"],
    ["proxy/policy/x.ts", "../../expressions/runtime/reads/reads.ts"],
    ["mixer/x.ts", "../core/expressions/jsonata-engine.ts"],
  ];
  it("lint allows rooms to import the engine's entry files", () => {
    for (const [file, path] of doors)
      plant(file, `import { y } from "${path}";\nexport const x: unknown = y;\n`);
    const { output } = run("oxlint", "--deny-warnings");
    assert.doesNotMatch(output, /no-restricted-imports/);
  });

  for (const [file, text] of trespasses) {
    it(`lint refuses in ${file}: ${text.split("\n")[0]}`, () => {
      plant(file, text);
      const { status, output } = run("oxlint", "--deny-warnings");
      assert.notEqual(status, 0, output);
      assert.match(output, /no-restricted-(imports|globals|properties)/);
    });
  }
});
