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
const REASONS = [
  "The kind AuthorizationPolicy is not supported",
  "The kind PeerAuthentication is not supported",
  "The kind RequestAuthentication is not supported",
  "The kind Telemetry is not supported",
  "The mode ISTIO_MUTUAL is not supported",
  "PASSTHROUGH",
  'not "MONGO"',
  'not "TLS"',
  "spec.tcp is not supported",
  "spec.tls is not supported",
  'lacks the field "http"',
  'no field "proxyProtocol"',
  'no field "subjectAltNames"',
  "unix://",
  '"*.bar.com"',
  '"*.wikipedia.org"',
  "targetRefs",
  "egress[0].captureMode is not supported",
  "CUSTOM",
];

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

  it("load to at least 95 %, apart from kinds and protocols that are not supported", () => {
    const judged = samples.filter(
      ({ errors }) => !errors.some((error) => /kind \w+ is not supported/.test(error)),
    );
    const ofHttp = judged.filter(
      ({ errors }) =>
        !errors.some((error) => /"MONGO"|"TLS"|spec\.t(cp|ls) is not|ISTIO_MUTUAL|proxyProtocol/.test(error)),
    );
    const loading = ofHttp.filter(({ errors }) => errors.length === 0);
    assert.ok(ofHttp.length >= 80, `${ofHttp.length}`);
    assert.ok(loading.length / ofHttp.length >= 0.95, `${loading.length} of ${ofHttp.length}`);
  });

  it("warn of nothing but references to what other samples declare", () => {
    const warnings = samples.flatMap((sample) => sample.warnings);
    assert.deepEqual(
      warnings.filter((warning) => !warning.includes("[PURSER_REF_UNRESOLVED]")),
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

  it("are listed in docs/istio-samples.md, which npm run generated writes", () => {
    const page = readFileSync(new URL("../../docs/istio-samples.md", import.meta.url), "utf8");
    assert.equal(page, samplesPage(samples));
  });
});
