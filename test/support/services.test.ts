// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { requireService } from "./services.ts";

describe("requireService", () => {
  const { REQUIRE_SERVICES: required, CI: ci } = process.env;
  const skipped = new Error("skipped");
  const { warn } = console;
  const context = {
    skip: () => {
      throw skipped;
    },
  } as unknown as Mocha.Context;

  beforeEach(() => {
    console.warn = () => undefined;
    delete process.env["CI"];
  });

  afterEach(() => {
    console.warn = warn;
    if (required === undefined) delete process.env["REQUIRE_SERVICES"];
    else process.env["REQUIRE_SERVICES"] = required;
    if (ci === undefined) delete process.env["CI"];
    else process.env["CI"] = ci;
  });

  it("gives the path of an installed program", () => {
    assert.match(requireService(context, "node"), /\/node$/);
  });

  it("skips the test without the program, and fails instead with REQUIRE_SERVICES=1 or CI=true", () => {
    delete process.env["REQUIRE_SERVICES"];
    assert.throws(
      () => requireService(context, "no-such-server"),
      (error) => error === skipped,
    );
    process.env["CI"] = "true";
    assert.throws(() => requireService(context, "no-such-server"), /^Error: CI=true, but no-such-server/);
    process.env["REQUIRE_SERVICES"] = "1";
    assert.throws(() => requireService(context, "no-such-server"), /no-such-server not found on PATH/);
  });
});
