// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AdapterHandler } from "../../plugins/sdk/index.ts";
import {
  createTestContext,
  describeAdapterContract,
  logEntryInstance,
} from "../../plugins/sdk/testing/index.ts";
import { stdout } from "./index.ts";

/** Captures what a synchronous step writes to one of this process's streams. */
function captured(stream: "stdout" | "stderr", step: () => void): string {
  const target = process[stream];
  const write = target.write.bind(target);
  let text = "";
  target.write = (chunk) => {
    text += String(chunk);
    return true;
  };
  try {
    step();
  } finally {
    target.write = write;
  }
  return text;
}

/**
 * The suite writes megabytes of unusual lines, so it writes to a stream that the test runner does not report
 * on.
 */
const quiet: typeof stdout = {
  ...stdout,
  build(context) {
    const handler = stdout.build(context);
    const logentry: AdapterHandler["logentry"] = (batch, call) =>
      void captured("stdout", () => void handler.logentry?.(batch, call));
    const metric: AdapterHandler["metric"] = (batch, call) =>
      void captured("stdout", () => void handler.metric?.(batch, call));
    const tracespan: AdapterHandler["tracespan"] = (batch, call) =>
      void captured("stdout", () => void handler.tracespan?.(batch, call));
    return { ...handler, logentry, metric, tracespan };
  },
};

describeAdapterContract(quiet);

describe("the adapter stdout", () => {
  const entries = [logEntryInstance(), logEntryInstance({ severity: "ERROR" })];
  const { signal } = new AbortController();

  it("writes a line of JSON for each entry", () => {
    const handler = stdout.build(createTestContext(stdout, { format: "json" }));
    const text = captured("stdout", () => void handler.logentry?.(entries, { signal }));
    const lines = text.trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { severity: string }).severity),
      ["INFO", "ERROR"],
    );
  });

  it("writes to standard error when told to", () => {
    const handler = stdout.build(createTestContext(stdout, { stream: "stderr", format: "json" }));
    const text = captured("stderr", () => void handler.logentry?.(entries, { signal }));
    assert.equal(text.split("\n").length, 3);
  });
});
