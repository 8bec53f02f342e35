// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createTestContext } from "../../plugins/sdk/testing/index.ts";
import { kafka } from "./index.ts";
import { driverFault, isDriverInstalled, platformaticFault } from "./platformatic-requirement.ts";

const faults = (config: Readonly<Record<string, unknown>>) => {
  const filled = createTestContext(kafka, { brokers: ["kafka:9092"], ...config }).config;
  return (kafka.check?.(filled) ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
};

describe("the configuration of kafka", () => {
  it("is accepted with brokers alone", () => {
    assert.equal(faults({}), "");
    assert.equal(faults({ topic: "{handler}.{name}.x_y-z", acks: "leader" }), "");
  });

  const wrong: readonly (readonly [string, Readonly<Record<string, unknown>>, RegExp])[] = [
    [
      "a placeholder that does not exist",
      { topic: "a.{kind}" },
      /^topic: .*\{kind\}.*\{template\}, \{name\} and \{handler\}/,
    ],
    ["a character that no topic may have", { topic: "a/b" }, /^topic: a topic has letters/],
    ["an unclosed placeholder", { topic: "a.{name" }, /^topic: a topic has letters/],
    ["a topic that is too long", { topic: "a".repeat(250) }, /249 characters/],
    ["the topic ..", { topic: ".." }, /not a topic/],
    [
      "idempotence without all acknowledgements",
      { acks: "leader", idempotent: true },
      /^idempotent: .*acks: all/,
    ],
    [
      "a header that the format makes",
      { format: "cloudevents-binary", headers: { ce_id: "name" } },
      /^headers.ce_id: /,
    ],
    ["a header without a name", { headers: { "": "name" } }, /needs a name/],
    ["a certificate without TLS", { tls: { ca: "-----BEGIN CERTIFICATE-----" } }, /^tls.ca: .*enabled/],
    ["a certificate in another form", { tls: { enabled: true, ca: "/etc/ca.pem" } }, /^tls.ca: .*PEM/],
    ["a port that does not exist", { brokers: ["kafka:0", "kafka:70000"] }, /^brokers.0: .*; brokers.1: /],
    ["an IPv6 address for kafkajs", { brokers: ["[::1]:9092"] }, /host name/],
    ["a timeout of nothing", { requestTimeout: "0s" }, /^requestTimeout: /],
  ];
  for (const [what, config, expected] of wrong) {
    it(`refuses ${what}`, () => assert.match(faults(config), expected));
  }

  it("refuses brokers and paths of another form", () => {
    for (const config of [
      { brokers: [] },
      { brokers: ["kafka"] },
      { brokers: ["http://kafka:9092"] },
      { key: "a..b" },
    ]) {
      assert.throws(() => faults(config), TypeError);
    }
  });

  it("never shows the password", () => {
    assert.doesNotMatch(
      faults({
        acks: "none",
        idempotent: true,
        sasl: { mechanism: "plain", username: "a", password: "s3cret" },
      }),
      /s3cret/,
    );
  });
});

describe("the driver platformatic", () => {
  it("needs Node 22.22", () => {
    for (const version of ["v20.20.2", "v22.21.9"])
      assert.match(driverFault(version) ?? "", /Node 22\.22 or newer/);
    for (const version of ["v22.22.0", "v24.0.0", "v26.1.0"]) assert.equal(driverFault(version), undefined);
  });

  const failing = (code: string) => ({
    resolve: () => {
      throw Object.assign(new Error("not found"), { code });
    },
  });

  it("is refused by the check of the configuration where Node is too old or the package is missing", () => {
    assert.equal(platformaticFault("v22.22.0"), undefined);
    const missing = failing("MODULE_NOT_FOUND");
    assert.match(platformaticFault("v22.22.0", missing) ?? "", /run npm install @platformatic\/kafka/);
    assert.match(platformaticFault("v20.20.2", missing) ?? "", /Node 22\.22 or newer/);
    const here = platformaticFault();
    assert.equal(faults({ driver: "platformatic" }), here === undefined ? "" : `driver: ${here}`);
  });

  it("is found when it is installed", () => {
    assert.equal(isDriverInstalled(), true);
    assert.equal(isDriverInstalled(failing("MODULE_NOT_FOUND")), false);
    assert.equal(isDriverInstalled(failing("ERR_PACKAGE_PATH_NOT_EXPORTED")), true);
  });
});
