// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkConfig, checkText } from "../../cli/compose/part-config.ts";
import { type ImportFlags, runImport } from "./run-import.ts";

const CONFIG = `domain: shop
descriptors:
  - { key: user, rate_limit: { unit: minute, requests_per_unit: 10 } }
  - { key: plan, rate_limit: { unit: hour, requests_per_unit: 10 } }
`;

const ACTIONS =
  "rate_limits: [{ actions: [{ request_headers: { header_name: x-user, descriptor_key: user } }] }]\n";

describe("the files of an import", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "purser-import-"));
    writeFileSync(join(folder, "c.yaml"), CONFIG);
    writeFileSync(join(folder, "e.yaml"), ACTIONS);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function run(flags: Partial<ImportFlags>, config = "c.yaml") {
    const written = { documents: "", notes: "" };
    await runImport(join(folder, config), { entry: new Map(), ...flags }, checkText, {
      documents: (text) => void (written.documents += text),
      notes: (text) => void (written.notes += text),
    });
    return written;
  }

  it("prints documents, and notes beside them", async () => {
    const { documents, notes } = await run({ actions: join(folder, "e.yaml") });
    assert.match(
      documents,
      /^# shop\.user: limit of .*c\.yaml:3\n# descriptor of .*e\.yaml:1\napiVersion: purser\.dev\/v1\n/,
    );
    assert.match(notes, /^.*c\.yaml:4:5: warning: no action makes a descriptor for shop\.plan/);
  });

  it("writes documents that validate, and never over a file", async () => {
    const out = join(folder, "mesh");
    const entry = new Map([
      ["user", 'request.headers."x-user"'],
      ["plan", 'request.headers."x-plan"'],
    ]);
    const { documents, notes } = await run({ entry, out });
    assert.deepEqual([documents, notes], ["", `${join(out, "ratelimit.yaml")}: 2 QuotaPolicies\n`]);
    assert.deepEqual((await checkConfig([out])).diagnostics, []);
    const text = readFileSync(join(out, "ratelimit.yaml"), "utf8");
    await assert.rejects(run({ entry, out }), { code: "PURSER_IMPORT_OUTPUT" });
    assert.equal(readFileSync(join(out, "ratelimit.yaml"), "utf8"), text);
  });

  it("refuses faults with their locations", async () => {
    await assert.rejects(run({}), /c\.yaml:3:5: error: no expression is known for the key "user"/);
    const entry = new Map([
      ["user", "request.usr"],
      ["plan", "request.method"],
    ]);
    await assert.rejects(run({ entry }), /\(imported documents\):\d+:\d+: error: /);
    await assert.rejects(run({}, "absent.yaml"), /absent\.yaml.*PURSER_DOC_UNREADABLE/);
    await assert.rejects(run({}, "."), /one file is needed, and this is a folder/);
  });
});
