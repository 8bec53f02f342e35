// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Command } from "commander";

import { upgradesFlag } from "./flags.ts";

const parse = (...args: string[]): unknown =>
  new Command()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .addOption(upgradesFlag())
    .parse(args, { from: "user" })
    .opts()["upgradeProtocols"];

describe("--upgrade-protocols", () => {
  it("is WebSocket by default, a list in lower case, or none", () => {
    assert.deepEqual(parse(), ["websocket"]);
    assert.deepEqual(parse("--upgrade-protocols", "WebSocket, tcp"), ["websocket", "tcp"]);
    assert.deepEqual(parse("--upgrade-protocols", "none"), []);
  });

  it("takes no name that is not a token, and no h2c, whose requests would pass no policy", () => {
    for (const value of ["", "web socket", "websocket,", "h2c", "websocket,H2C"])
      assert.throws(() => parse("--upgrade-protocols", value), value);
  });
});
