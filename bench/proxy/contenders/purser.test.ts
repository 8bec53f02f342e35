// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../machine/repository.ts";
import { withPorts } from "./purser.ts";

const document = (name: string): string => readFileSync(join(ROOT, "bench/proxy/mesh", name), "utf8");
const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

describe("the documents that the bench gives Purser", () => {
  it("are what the bench says of them: 20 policies, 3 quotas, a counter, a histogram and a log", () => {
    const text = document("policies.yaml");
    assert.equal(count(text, /^kind: AccessPolicy$/gm), 20);
    assert.equal(count(text, /^kind: QuotaPolicy$/gm), 3);
    assert.equal(count(text, /type: counter/g), 1);
    assert.equal(count(text, /type: histogram/g), 1);
    assert.equal(count(text, /^kind: LogEntry$/gm), 1);
  });

  it("get the ports of the run", () => {
    const text = withPorts(document("routes.yaml"), 18_001, 18_002);
    assert.match(text, /number: 18001,/);
    assert.match(text, /http: 18002 /);
    // The comment at the top names the ports too, and is replaced as well.
    assert.doesNotMatch(text, /EDGE_PORT|UPSTREAM_PORT/);
  });
});
