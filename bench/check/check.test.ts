// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeCheckRequest } from "../../api/json/check.ts";
import { checkBody, writeBags, writeCheckScript } from "./check-requests.ts";
import { parseFlags } from "./options.ts";
import { judge } from "./report.ts";

describe("the requests of bench:check", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "purser-bench-test-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("are checks that the API accepts", () => {
    const { deduplicationId, attributes } = decodeCheckRequest(JSON.parse(checkBody(7, "an id")));
    assert.equal(deduplicationId, "an id");
    assert.match(JSON.stringify(attributes), /"x-user":"user-7"/);
  });

  it("come from 50 users, each with a place for the id", () => {
    const script = readFileSync(writeCheckScript(folder), "utf8");
    assert.equal(
      [...script.matchAll(/^ {2}\{ \[==\[.*"deduplicationId":"\]==\], \[==\["\}\]==\] \},$/gm)].length,
      50,
    );
    const bags = readFileSync(writeBags(folder), "utf8").trim().split("\n");
    assert.equal(new Set(bags).size, 50);
  });
});

describe("the options of bench:check", () => {
  it("measure five rounds of three seconds with this Node.js unless told otherwise", () => {
    const { rounds, seconds, warmUp, node, json } = parseFlags([]);
    assert.deepEqual([rounds, seconds, node, json], [5, 3, process.execPath, false]);
    assert.equal(warmUp, 12);
  });

  it("refuse wrong values", () => {
    assert.throws(() => parseFlags(["--rounds", "0"]), /--rounds must be a whole number from 1 to 50, not 0/);
    assert.throws(() => parseFlags(["--fast"]), /--fast/);
  });
});

describe("the bars of bench:check", () => {
  const met = (ratio: number, bytes: number, errors: number): readonly (boolean | undefined)[] =>
    judge({ ratio_to_koa: ratio, cpu_ratio_to_koa: 1, errors }, bytes).map((bar) => bar.met);

  it("are met at their very values", () => assert.deepEqual(met(0.8, 4_096, 0), [true, true, true]));

  it("are missed beyond them", () => assert.deepEqual(met(0.799, 4_097, 1), [false, false, false]));

  it("are not met by figures that are missing", () =>
    assert.deepEqual(met(Number.NaN, Number.NaN, 0), [undefined, undefined, true]));
});
