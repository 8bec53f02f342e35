// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { createVirtualTime } from "../../plugins/sdk/testing/index.ts";
import { RecordingLogger } from "../testing/harness.test.ts";
import { tlsFaultReason } from "../transport/tls/client/tls-fault.ts";
import { TlsFaults } from "./tls-faults.ts";

describe("the TLS faults of a cluster", () => {
  it("are logged once a minute for each reason, with the number of those in between, and all counted", () => {
    const time = createVirtualTime();
    const logger = new RecordingLogger();
    const faults = new TlsFaults();
    const note = (reason: "closed" | "not_tls"): void =>
      faults.note(
        { reason, error: new Error("x") },
        { cluster: "c", endpoint: "10.0.0.1:443" },
        { logger, clock: time.clock },
      );
    for (let second = 0; second < 61; second++) {
      note("closed");
      time.advance(1_000);
    }
    note("not_tls");
    assert.deepEqual(
      logger.lines.map(({ level, fields }) => [level, fields]),
      [
        ["warn", { cluster: "c", endpoint: "10.0.0.1:443", reason: "closed", error: "x" }],
        [
          "warn",
          { cluster: "c", endpoint: "10.0.0.1:443", reason: "closed", error: "x", faultsWithoutLine: 59 },
        ],
        ["warn", { cluster: "c", endpoint: "10.0.0.1:443", reason: "not_tls", error: "x" }],
      ],
    );
    assert.deepEqual(
      [...faults.counts],
      [
        ["closed", 61],
        ["not_tls", 1],
      ],
    );
  });

  it("have few reasons, whatever the code", () => {
    const reasonOf = (code?: string) => tlsFaultReason(Object.assign(new Error("x"), code ? { code } : {}));
    assert.equal(reasonOf("CERT_HAS_EXPIRED"), "certificate_expired");
    assert.equal(reasonOf("DEPTH_ZERO_SELF_SIGNED_CERT"), "certificate_untrusted");
    assert.equal(reasonOf("ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE"), "server_alert");
    assert.equal(reasonOf("ERR_SSL_SOMETHING_NEW"), "error");
    assert.equal(reasonOf("constructor"), "error");
    assert.equal(reasonOf(), "error");
  });
});
