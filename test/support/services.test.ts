// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { requireService } from "./services.ts";

describe("requireService", () => {
  const required = process.env["REQUIRE_SERVICES"];
  const skipped = new Error("skipped");
  const { warn } = console;
  const context = {
    skip: () => {
      throw skipped;
    },
  } as unknown as Mocha.Context;

  beforeEach(() => {
    console.warn = () => undefined;
  });

  afterEach(() => {
    console.warn = warn;
    if (required === undefined) delete process.env["REQUIRE_SERVICES"];
    else process.env["REQUIRE_SERVICES"] = required;
  });

  it("gives the path of an installed program", () => {
    assert.match(requireService(context, "node"), /\/node$/);
  });

  it("skips the test without the program, and fails instead with REQUIRE_SERVICES=1", () => {
    delete process.env["REQUIRE_SERVICES"];
    assert.throws(
      () => requireService(context, "no-such-server"),
      (error) => error === skipped,
    );
    process.env["REQUIRE_SERVICES"] = "1";
    assert.throws(() => requireService(context, "no-such-server"), /no-such-server not found on PATH/);
  });
});
