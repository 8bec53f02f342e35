// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { formatFor } from "./formats.ts";
import { boundText } from "./numbers.ts";

const PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

describe("the format for an Accept field", () => {
  it("is the one that the client prefers, and text without a preference", () => {
    for (const [accept, format] of [
      [undefined, "text"],
      ["", "text"],
      ["*/*", "text"],
      ["text/html,application/xhtml+xml,*/*;q=0.8", "text"],
      ["text/plain", "text"],
      ["application/openmetrics-text", "openmetrics"],
      // Prometheus 2.42, without and with native histograms.
      [
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "openmetrics",
      ],
      [
        `${PROTOBUF},application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`,
        "protobuf",
      ],
      // Prometheus 3.
      [
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
        "openmetrics",
      ],
      ['application/openmetrics-text; version="1.0.0"; charset=utf-8 ;q=0.4, text/plain;q=0.5', "text"],
      ["application/openmetrics-text;q=0, text/plain;q=0.1", "text"],
      ["application/openmetrics-text;version=2.0.0", "text"],
      ["application/openmetrics-text;q=nonsense", "text"],
      ["application/vnd.google.protobuf;proto=other;encoding=delimited", "text"],
      ["application/openmetrics-text,".repeat(1_000), "text"],
    ] as const)
      assert.equal(formatFor(accept), format, accept);
  });
});

describe("a bound", () => {
  it("is written as Prometheus writes the bounds of the protobuf format", () => {
    for (const [bound, text] of [
      [0, "0.0"],
      [1, "1.0"],
      [-5, "-5.0"],
      [0.005, "0.005"],
      [0.00001, "1e-05"],
      [123456, "123456.0"],
      [1_000_000, "1e+06"],
      [1_048_576, "1.048576e+06"],
      [1e100, "1e+100"],
      [Number.POSITIVE_INFINITY, "+Inf"],
    ] as const)
      assert.equal(boundText(bound), text);
  });
});
