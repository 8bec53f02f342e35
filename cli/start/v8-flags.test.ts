// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { SERVICE_FLAGS, START_FLAGS } from "./v8-flags.ts";

const VERSION = Number.parseInt(process.versions.v8, 10);

describe("V8's flags of a service", () => {
  for (const { name, byDefault, untilVersion } of SERVICE_FLAGS)
    it(`know --${name} and its default`, function () {
      if (VERSION > untilVersion) this.skip();
      const options = execFileSync(process.execPath, ["--v8-options"], { encoding: "utf8" });
      assert.match(options, new RegExp(`^ +--${name} .*\n.*default: ${byDefault}$`, "m"));
    });
});

describe("V8's flags of a start", () => {
  for (const { name, byDefault, untilVersion } of START_FLAGS)
    it(`know --${name} and its default`, function () {
      if (VERSION > untilVersion) this.skip();
      const options = execFileSync(process.execPath, ["--v8-options"], { encoding: "utf8" });
      const [, shown] =
        new RegExp(`^ +--${name} .*\n.*default: (?:--[a-z-]+=)?(\\d+)$`, "m").exec(options) ?? [];
      assert.equal(Number(shown), byDefault);
    });
});
