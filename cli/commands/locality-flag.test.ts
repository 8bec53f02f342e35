// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Command } from "commander";
import { MAX_LOCALITY_LENGTH } from "../../core/traffic/locality.ts";
import { localityFlag } from "./flags.ts";

const parse = (...args: string[]): unknown =>
  new Command()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .addOption(localityFlag())
    .parse(args, { from: "user" })
    .opts()["locality"];

describe("--locality", () => {
  it("is a region, a zone in it, or a subzone in that; unknown by default", () => {
    assert.equal(parse(), undefined);
    for (const value of ["eu-west_1.a", "eu/west", "eu/west/rack-1"])
      assert.equal(parse("--locality", value), value);
  });

  it("takes no pattern, no empty part and no fourth one", () => {
    for (const value of [
      "",
      "*",
      "eu/*",
      "/",
      "eu/",
      "/west",
      "eu//a",
      "a/b/c/d",
      "a b",
      "x".repeat(MAX_LOCALITY_LENGTH + 1),
    ])
      assert.throws(() => parse("--locality", value), /region\/zone\/subzone/, value);
  });
});
