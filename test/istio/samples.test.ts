// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { loadSamples, loadWithRegistry } from "./load-samples.ts";
import { samplesPage } from "./samples-page.ts";

/**
 * Kinds and protocols whose samples are refused for the time being, by a part of the reason. Every other sample of Istio
 * must load.
 */
const REASONS = ["The kind Telemetry is not supported", "unix://", '"*.bar.com"', '"*.wikipedia.org"'];

describe("Istio's samples", function () {
  this.timeout(60_000);
  const samples = loadSamples();

  it("load unchanged with a small file of endpoints, or are refused for a known reason", () => {
    const refused = samples.flatMap(({ path, errors }) => errors.map((error) => `${path}: ${error}`));
    assert.deepEqual(
      refused.filter((line) => !REASONS.some((reason) => line.includes(reason))),
      [],
    );
  });

  it("load to at least 95 %, of the networking and security kinds", () => {
    const judged = samples.filter(
      ({ errors }) => !errors.some((error) => /kind Telemetry is not supported/.test(error)),
    );
    const loading = judged.filter(({ errors }) => errors.length === 0);
    assert.ok(judged.length >= 110, `${judged.length}`);
    assert.ok(loading.length >= 0.95 * judged.length, `${loading.length} of ${judged.length}`);
  });

  it("warn of nothing but references to what other samples declare, paths that can be spelled otherwise, and parts without effect", () => {
    const warnings = samples.flatMap((sample) => sample.warnings);
    assert.deepEqual(
      warnings.filter((warning) => !/\[PURSER_(REF_UNRESOLVED|EXPR_BYPASS|DOC_NO_EFFECT)\]/.test(warning)),
      [],
    );
  });

  it("do not load when a field is misspelt", () => {
    const text = readFileSync(
      new URL("samples/bookinfo/virtual-service-reviews-v3.yaml", import.meta.url),
      "utf8",
    );
    assert.equal(loadWithRegistry("a.yaml", text).ok, true);
    assert.equal(loadWithRegistry("a.yaml", text.replace("http:", "htp:")).ok, false);
  });

  it("are listed in docs/reference/istio-samples.md, which npm run generated writes", () => {
    const page = readFileSync(new URL("../../docs/reference/istio-samples.md", import.meta.url), "utf8");
    assert.equal(page, samplesPage(samples));
  });
});
