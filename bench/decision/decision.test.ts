// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { decisionDifferences, prepareEngines } from "./measure.ts";
import { decisionRequests } from "./requests.ts";

describe("the policies of the decision benchmark", function () {
  // Compiling the WebAssembly module takes long on a busy host.
  this.timeout(30_000);
  it("decide alike in every engine, and both allow and deny requests", async () => {
    const requests = decisionRequests(20);
    assert.deepEqual(await decisionDifferences(await prepareEngines(20, requests), requests), []);
  });

  it("are compared with an engine that decides otherwise", async () => {
    const requests = decisionRequests(10);
    const [ours, peer] = await prepareEngines(10, requests);
    assert.ok(ours !== undefined && peer !== undefined);
    const reversed = { ...peer, decide: async (turn: number) => !(await peer.decide(turn)) };
    assert.equal((await decisionDifferences([ours, reversed], requests)).length, requests.length);
  });
});
