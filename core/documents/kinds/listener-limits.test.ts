// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { formatDiagnostic } from "../../../kernel/diagnostic.ts";
import { DEFAULT_LISTENER_LIMITS } from "../../traffic/listener-limits.ts";
import { parseDocuments } from "../parse-documents.ts";
import { listenerLimitsOf } from "./listener-limits.ts";

/** The faults of a MeshConfig whose one limit is at line 6. */
function faultsOf(limit: string): readonly string[] {
  const text = `apiVersion: purser.dev/v1
kind: MeshConfig
metadata: { name: mesh }
spec:
  limits:
    ${limit}
`;
  return parseDocuments({ path: "mesh.yaml", text }).diagnostics.map((diagnostic) =>
    formatDiagnostic(diagnostic),
  );
}

describe("the limits of a MeshConfig", () => {
  it("may each be set alone, up to their bounds", () => {
    const allowed = [
      "maxConnections: 1",
      "maxHeaderBytes: 1024",
      "maxHeaderBytes: 1048576",
      "headersTimeout: 100ms",
      "requestTimeout: 0s",
      "requestTimeout: 30s",
      "connectionIdleTimeout: 1m30s",
      "streamIdleTimeout: 24h",
      "drainGrace: 0s",
      "drainGrace: 10s",
      "memoryLimitBytes: 0",
      "memoryLimitBytes: 134217728",
    ];
    for (const limit of allowed) assert.deepEqual(faultsOf(limit), [], limit);
  });

  it("are refused outside their bounds, at the line of the field", () => {
    const refused: readonly (readonly [string, RegExp])[] = [
      ["maxConnections: 0", /limits\.maxConnections must be .*1/],
      ["maxConnections: -1", /limits\.maxConnections must be .*1/],
      ["maxConnections: 1.5", /limits\.maxConnections must be a whole number/],
      ["maxHeaderBytes: 1023", /limits\.maxHeaderBytes must be .*1024/],
      ["maxHeaderBytes: 1048577", /limits\.maxHeaderBytes must be .*1048576/],
      ["maxHeaderBytes: 60KiB", /limits\.maxHeaderBytes must be/],
      ["headersTimeout: 0s", /limits\.headersTimeout must be at least 100ms/],
      ["headersTimeout: 10", /limits\.headersTimeout must be/],
      ["headersTimeout: -1s", /limits\.headersTimeout must/],
      ["connectionIdleTimeout: 99ms", /limits\.connectionIdleTimeout must be at least 100ms/],
      ["streamIdleTimeout: 0s", /limits\.streamIdleTimeout must be at least 100ms/],
      ["requestTimeout: 1ms", /limits\.requestTimeout must be 0s or at least 100ms/],
      ["drainGrace: 99ms", /limits\.drainGrace must be 0s or at least 100ms/],
      ["memoryLimitBytes: 134217727", /limits\.memoryLimitBytes must be 0 or at least 134217728/],
      ["memoryLimitBytes: -1", /limits\.memoryLimitBytes must be .*0/],
      ["maxHeadersBytes: 1024", /no field "maxHeadersBytes".*maxHeaderBytes/s],
    ];
    for (const [limit, expected] of refused) {
      const faults = faultsOf(limit);
      assert.equal(faults.length, 1, `${limit}: ${faults.join("; ")}`);
      assert.match(faults[0] ?? "", expected);
      assert.match(faults[0] ?? "", /^mesh\.yaml:6:/);
      assert.match(faults[0] ?? "", /\[PURSER_DOC_/);
    }
  });

  it("have their defaults where they are not set", () => {
    assert.deepEqual(listenerLimitsOf(), DEFAULT_LISTENER_LIMITS);
    assert.deepEqual(listenerLimitsOf({ maxConnections: 5, requestTimeout: "30s", drainGrace: "0s" }), {
      ...DEFAULT_LISTENER_LIMITS,
      maxConnections: 5,
      requestTimeoutMs: 30_000,
      drainGraceMs: 0,
    });
    assert.deepEqual(
      listenerLimitsOf({
        maxHeaderBytes: 8_192,
        headersTimeout: "5s",
        connectionIdleTimeout: "1m30s",
        streamIdleTimeout: "500ms",
        memoryLimitBytes: 536_870_912,
      }),
      {
        ...DEFAULT_LISTENER_LIMITS,
        maxHeaderBytes: 8_192,
        headersTimeoutMs: 5_000,
        connectionIdleMs: 90_000,
        streamIdleMs: 500,
        memoryLimitBytes: 536_870_912,
      },
    );
  });
});
