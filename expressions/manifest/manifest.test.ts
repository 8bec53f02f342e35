// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type AttributeManifest, mergeManifests } from "./manifest.ts";

const BUILT_IN = {
  attributes: {
    "destination.service.name": { type: "STRING" },
    "destination.ip": { type: "IP_ADDRESS" },
    "request.method": { type: "STRING", optional: false, description: "The method." },
    "request.headers": { type: "STRING_MAP" },
    "request.auth.claims": { type: "ANY" },
    "request.auth.claims.tier": { type: "STRING" },
    "response.code": { type: "INT64", phase: "response" },
    "response.duration": { type: "DURATION", unit: "ms", phase: "response" },
    "connection.id": { type: "STRING" },
    "connection.duration": { type: "DURATION", unit: "ms", phase: "response" },
  },
} as const;

function manifest(...specs: Parameters<typeof mergeManifests>[0]): AttributeManifest {
  const { manifest: merged, faults } = mergeManifests([BUILT_IN, ...specs]);
  assert.deepEqual(faults, []);
  return merged;
}

describe("an attribute manifest", () => {
  it("fills in defaults and lists declarations by name", () => {
    const { declarations } = manifest();
    assert.equal(declarations[0]?.name, "connection.duration");
    assert.deepEqual(manifest().lookup(["request", "method"]), {
      kind: "attribute",
      declaration: {
        name: "request.method",
        type: "STRING",
        unit: undefined,
        phase: "request",
        optional: false,
        description: "The method.",
      },
    });
    assert.equal(declarations.find(({ name }) => name === "request.headers")?.optional, true);
  });

  it("gives attributes their forms, by declaration or by type", () => {
    const formOf = (name: string) => manifest().declarations.find((found) => found.name === name)?.form;
    assert.equal(formOf("destination.ip"), "address");
    assert.equal(formOf("connection.id"), undefined);
    const { manifest: own, faults } = mergeManifests([
      {
        attributes: {
          "a.host": { type: "STRING", form: "host" },
          "a.scheme": { type: "STRING", values: ["http", "https"] },
          "a.port": { type: "STRING", form: "port" },
          "a.code": { type: "INT64", values: ["1"] },
          "a.both": { type: "STRING", form: "host", values: ["x"] },
        },
      },
    ]);
    const declared = own.declarations.map(({ name, form, values }) => [name, form ?? values]);
    assert.deepEqual(declared, [
      ["a.both", undefined],
      ["a.code", undefined],
      ["a.host", "host"],
      ["a.port", undefined],
      ["a.scheme", ["http", "https"]],
    ]);
    assert.deepEqual(
      faults.map(({ message }) => message),
      [
        '"a.port" has the form port, which is for INT64, not for STRING',
        '"a.code" has values, which only a STRING can have, not INT64',
        '"a.both" has both a form and values: keep one of them',
      ],
    );
  });

  it("knows attributes, members of maps, any path within ANY, and groups", () => {
    const kindOf = (...path: string[]) => manifest().lookup(path)?.kind;
    assert.equal(kindOf("request", "headers"), "attribute");
    assert.equal(kindOf("request", "headers", "x-user"), "member");
    assert.equal(kindOf("request", "headers", "x-user", "deeper"), undefined);
    assert.equal(kindOf("request", "auth", "claims", "a", "b", "c"), "member");
    assert.equal(kindOf("request", "auth", "claims", "tier"), "attribute");
    assert.equal(kindOf("destination", "service"), "group");
    assert.equal(kindOf("request"), "group");
    assert.equal(kindOf("request", "method", "length"), undefined);
    assert.equal(kindOf("constructor"), undefined);
  });

  it("refuses an unknown attribute and suggests the nearest known name", () => {
    const fault = (...path: string[]) => manifest().check(path, "response");
    assert.deepEqual(fault("requst", "method"), {
      code: "PURSER_EXPR_UNKNOWN_ATTRIBUTE",
      message: "no attribute is called requst.method",
      suggestion: "request.method",
    });
    assert.equal(fault("request", "header", "x-user")?.suggestion, 'request.headers."x-user"');
    assert.equal(fault("destination", "servce", "name")?.suggestion, "destination.service.name");
    assert.equal(fault("destination", "service", "nmae")?.suggestion, "destination.service.name");
    assert.equal(fault("Request", "Method")?.suggestion, "request.method");
    assert.equal(fault("weather")?.suggestion, undefined);
  });

  it("reports that a plain value has no members", () => {
    assert.equal(
      manifest().check(["request", "method", "length"], "request")?.message,
      "request.method is of type STRING and has no length",
    );
    assert.equal(
      manifest().check(["request", "headers", "x-user", "first"], "request")?.message,
      'request.headers."x-user" is a STRING and has no first',
    );
  });

  it("keeps attributes of the response, and their groups, out of the request", () => {
    const code = (...path: string[]) => manifest().check(path, "request")?.code;
    assert.equal(code("response", "code"), "PURSER_EXPR_PHASE");
    assert.equal(code("response"), "PURSER_EXPR_PHASE");
    assert.equal(code("connection"), undefined);
    assert.equal(code("connection", "duration"), "PURSER_EXPR_PHASE");
    assert.equal(manifest().check(["response", "code"], "response"), undefined);
  });

  it("merges manifests, reports every conflicting declaration, and merges the rest", () => {
    const { manifest: merged, faults } = mergeManifests([
      BUILT_IN,
      { attributes: { "request.method": { type: "STRING" }, "tenant.plan": { type: "STRING" } } },
      {
        attributes: {
          "request.method.verb": { type: "STRING" },
          destination: { type: "STRING" },
          "a..b": { type: "STRING" },
          "request.headers.host": { type: "STRING" },
        },
      },
    ]);
    assert.deepEqual(faults, [
      { specIndex: 1, attribute: "request.method", message: '"request.method" is declared already' },
      {
        specIndex: 2,
        attribute: "request.method.verb",
        message: '"request.method.verb" cannot be in "request.method", which is declared as STRING',
      },
      {
        specIndex: 2,
        attribute: "destination",
        message: '"destination" cannot be STRING, as attributes are declared in it',
      },
      { specIndex: 2, attribute: "a..b", message: '"a..b" is not a dotted name' },
    ]);
    assert.equal(merged.lookup(["tenant", "plan"])?.kind, "attribute");
    assert.equal(merged.lookup(["request", "headers", "host"])?.kind, "attribute");
  });
});
