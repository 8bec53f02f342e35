// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROWS, type Row } from "./accuracy/cells.ts";
import { type Accuracy, measureAccuracy } from "./accuracy/measure.ts";
import { runSimulations } from "./run-simulations.ts";
import { markedPart, withMarkedPart } from "./marked-part.ts";
import { measureScale, type Scale } from "./scale/measure.ts";
import { SCENARIOS, type Scenario } from "./scale/scenario.ts";
import { parseFlags, simulationsAlone } from "./options.ts";
import { DEFAULT_SPEEDS } from "./simulation-flags.ts";
import { isBrokenAnywhere, measureSimulations, simulationsText, writeFiles } from "./simulations.ts";

const SILENT = { at() {}, done() {} };

describe("the flags of the simulations", () => {
  it("select all parts by default, or one", () => {
    assert.deepEqual(parseFlags([]).simulations, {
      json: false,
      parts: ["accuracy", "scale"],
      withSpeed: true,
      svg: undefined,
      updateDocs: false,
      speeds: DEFAULT_SPEEDS,
    });
    const flags = parseFlags(["--part=scale", "--svg=a.svg", "--mixer-calls=5"]);
    assert.deepEqual(
      [flags.simulations.parts, flags.simulations.svg, flags.simulations.speeds.mixerCallsPerS],
      [["scale"], "a.svg", 5],
    );
    assert.deepEqual(parseFlags(["--part=speed"]).simulations.parts, []);
  });

  it("are those of a run without speed only when a simulation is selected", () => {
    assert.deepEqual(simulationsAlone(["--part=accuracy", "--json"])?.parts, ["accuracy"]);
    for (const args of [[], ["--part=speed"], ["--part=scale", "--help"], ["--part=none"]])
      assert.equal(simulationsAlone(args), undefined);
  });

  for (const [args, message] of [
    [["--part=speeed"], /--part must be speed, accuracy or scale, not speeed/],
    [["--part=accuracy", "--svg=a.svg"], /--svg needs the part scale/],
    [["--mixer-calls=0"], /--mixer-calls must be a whole number from 1 to 1000000000, not 0/],
    [["--shard-decisions=many"], /--shard-decisions must be .* not many/],
    [["--colour"], /--colour/],
  ] as const) {
    it(`refuse ${args.join(" ")}`, () => {
      assert.throws(() => parseFlags(args), message);
    });
  }
});

describe("a run of simulations", () => {
  it("prints its report, and sets the exit code when it fails", async () => {
    const printed: string[] = [];
    const { stdout, stderr, exitCode } = process;
    const flags = { ...parseFlags(["--json"]).simulations, parts: [] };
    try {
      stdout.write = stderr.write = (text: unknown) => printed.push(String(text)) > 0;
      await runSimulations(flags);
      assert.equal(process.exitCode, exitCode);
      await runSimulations({ ...flags, parts: undefined as never });
      assert.equal(process.exitCode, 1);
    } finally {
      // The streams' own method is that of their prototype.
      for (const stream of [stdout, stderr]) Reflect.deleteProperty(stream, "write");
      process.exitCode = exitCode;
    }
    assert.equal(printed[0], "{}\n");
    assert.match(printed[1] as string, /includes/);
  });
});

describe("the report of the simulations", () => {
  let [accuracy, scale]: [Accuracy?, Scale?] = [];
  let folder = "";

  before(async () => {
    const steps: string[] = [];
    const row = { ...(ROWS[0] as Row), windows: 2 };
    accuracy = await measureAccuracy([row], (step: string) => void steps.push(step));
    const mesh = { ...(SCENARIOS[0] as Scenario), proxies: 10, requestsPerS: 10_000, limit: 36_000 };
    scale = measureScale([mesh], DEFAULT_SPEEDS, (step: string) => void steps.push(step));
    assert.deepEqual(steps, ["accuracy: row 1 of 1", "scale: one limit for the whole mesh"]);
    folder = mkdtempSync(join(tmpdir(), "purser-quota-report-"));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it("has the parts that ran", async () => {
    const text = simulationsText({ accuracy, scale } as never);
    assert.match(text, /5 cells: over-admission at most 0/);
    assert.match(text, /shards of Redis +1\n/);
    assert.doesNotMatch(simulationsText({ accuracy } as never), /shards of Redis/);
    const nothing = await measureSimulations({ ...parseFlags([]).simulations, parts: [] }, SILENT);
    assert.deepEqual([nothing, simulationsText(nothing)], [{}, ""]);
  });

  it("is broken when a cell or a limit is", () => {
    const kept = { accuracy, scale } as { readonly accuracy: Accuracy; readonly scale: Scale };
    assert.equal(isBrokenAnywhere(kept), false);
    const [row] = kept.accuracy.rows;
    const cells = { x: { admitted: 1, under: 0, bound: 0, over: 1, failed: 0, calls: 1 } };
    assert.ok(isBrokenAnywhere({ accuracy: { rows: [{ ...row, cells } as never] } }));
    const scenarios = kept.scale.scenarios.map((one) => ({ ...one, over: 1 }));
    assert.ok(isBrokenAnywhere({ scale: { ...kept.scale, scenarios } }));
  });

  it("is written into the documentation, between the marks", () => {
    const page = join(folder, "quotas.md");
    const marks = (name: string) => `<!-- begin ${name} -->\nold\n<!-- end ${name} -->\n`;
    writeFileSync(page, `# Quotas\n${marks("accuracy table")}between\n${marks("scale table")}end\n`);
    const svg = join(folder, "plot.svg");
    writeFiles({ accuracy, scale } as never, { svg, updateDocs: false }, folder);
    assert.match(readFileSync(svg, "utf8"), /^<svg /);
    assert.match(readFileSync(page, "utf8"), /old/);
    writeFiles({ accuracy, scale } as never, { svg: undefined, updateDocs: true }, folder);
    const text = readFileSync(page, "utf8");
    assert.doesNotMatch(text, /old/);
    assert.match(markedPart(text, "accuracy table"), /`fixed-window`:/);
    assert.match(markedPart(text, "scale table"), /^\|  \| one limit/);
    assert.match(text, /^# Quotas\n[^]*between\n[^]*end\n$/);
    assert.match(readFileSync(join(folder, "quota-scale.svg"), "utf8"), /^<svg /);
  });

  it("needs both marks of a part", () => {
    assert.throws(() => withMarkedPart("<!-- begin a -->\n", "a", "b"), /<!-- end a -->/);
    assert.throws(() => markedPart("<!-- end a -->", "a"), /<!-- begin a -->/);
  });
});
