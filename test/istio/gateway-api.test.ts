// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { isLoading, rowOf } from "./samples-page.ts";
import { loadSamples } from "./load-samples.ts";

/** A part of the reason of each example that is refused. */
const REASONS = [
  "The kind BackendTLSPolicy is not supported",
  "The kind ListenerSet is not supported",
  "The kind UDPRoute is not supported",
  "spec.tls is not supported",
];

describe("the Gateway API's examples", function () {
  this.timeout(60_000);
  const samples = loadSamples("gateway-api/");

  it("load unchanged to at least 90 %, and the others are refused for a known reason", () => {
    const refused = samples.flatMap(({ path, errors }) => errors.map((error) => `${path}: ${error}`));
    assert.deepEqual(
      refused.filter((line) => !REASONS.some((reason) => line.includes(reason))),
      [],
    );
    assert.ok(samples.length >= 75, `${samples.length}`);
    assert.ok(samples.filter(isLoading).length >= 0.9 * samples.length);
  });

  it("warn of references and of parts without effect alone", () => {
    assert.deepEqual(
      samples
        .flatMap(({ warnings }) => warnings)
        .filter((warning) => !/\[PURSER_(REF_UNRESOLVED|DOC_NO_EFFECT)\]/.test(warning)),
      [],
    );
  });

  it("are listed in docs/reference/gateway-api.md, which npm run generated writes", () => {
    const page = readFileSync(new URL("../../docs/reference/gateway-api.md", import.meta.url), "utf8");
    assert.deepEqual(
      samples.map((sample) => rowOf(sample, "")).filter((row) => !page.includes(`${row}\n`)),
      [],
    );
  });
});
