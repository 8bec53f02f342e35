// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { http2Vulnerabilities } from "./vulnerabilities.ts";

describe("the vulnerabilities of Node.js in HTTP/2", () => {
  const idsOf = (version: string): string =>
    http2Vulnerabilities(version)
      .map((text) => text.split(":")[0])
      .join();

  it("are those that the release does not fix", () => {
    const both = "CVE-2024-27983,CVE-2026-123866";
    const cases = [
      ["18.20.0", both],
      ["18.20.1", "CVE-2026-123866"],
      ["19.9.0", both],
      ["20.12.0", both],
      ["20.20.2", "CVE-2026-123866"],
      ["22.23.4", "CVE-2026-123866"],
      ["22.23.5", ""],
      ["23.11.1", "CVE-2026-123866"],
      ["24.22.3", ""],
      ["24.9.9", "CVE-2026-123866"],
      ["26.13.1", ""],
      ["27.0.0", ""],
    ] as const;
    for (const [version, ids] of cases) assert.equal(idsOf(version), ids, version);
  });
});
