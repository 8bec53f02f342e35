// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Check } from "typebox/value";
import { parse } from "yaml";
import { ATTRIBUTE_MANIFEST } from "../documents/kinds/attribute-manifest.ts";
import { type AttributeManifestSpec } from "../../expressions/manifest/manifest-spec.ts";
import { mergeManifests } from "../../expressions/manifest/manifest.ts";

const FILE = new URL("../../policies/attribute-manifest.yaml", import.meta.url);

describe("the built-in attribute manifest", () => {
  const { kind, spec } = parse(readFileSync(FILE, "utf8")) as { kind: string; spec: AttributeManifestSpec };
  const { manifest, faults } = mergeManifests([spec]);

  it("is a manifest without faults, each attribute described", () => {
    assert.equal(kind, ATTRIBUTE_MANIFEST.kind);
    assert.equal(Check(ATTRIBUTE_MANIFEST.spec, spec), true);
    assert.deepEqual(faults, []);
    assert.deepEqual(
      manifest.declarations.filter(({ description }) => !/^[A-Zh].+\.$/.test(description)),
      [],
    );
  });

  it("has children where Istio had both a value and children", () => {
    assert.equal(manifest.lookup(["destination", "service"])?.kind, "group");
    assert.equal(manifest.check(["destination", "service", "name"], "request"), undefined);
  });

  it("has a unit for every number of bytes or of time", () => {
    const unitOf = (name: string) =>
      manifest.declarations.find((declaration) => declaration.name === name)?.unit;
    for (const { name, type, unit } of manifest.declarations)
      if (type === "DURATION") assert.equal(unit, "ms", name);
    assert.equal(unitOf("request.size"), "bytes");
  });

  it("keeps attributes of the response out of policies", () => {
    for (const name of [
      "response.code",
      "check.cache_hit",
      "quota.cache_hit",
      "upstream.attempts",
      "connection.duration",
    ])
      assert.equal(manifest.check(name.split("."), "request")?.code, "PURSER_EXPR_PHASE", name);
    for (const name of ["request.size", "route.name", "context.reporter.kind", "connection.mtls"])
      assert.equal(manifest.check(name.split("."), "request"), undefined, name);
  });
});
