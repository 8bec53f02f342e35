// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { decisionDifferences, prepareEngines } from "./measure.ts";
import { decisionRequests } from "./requests.ts";

describe("the policies of the decision benchmark", function () {
  // WebAssembly is compiled in here, which a busy host takes its time for.
  this.timeout(30_000);
  it("decide alike in every engine, some requests for and some against", async () => {
    const requests = decisionRequests(20);
    assert.deepEqual(await decisionDifferences(await prepareEngines(20, requests), requests), []);
  });

  it("are told from those that decide otherwise", async () => {
    const requests = decisionRequests(10);
    const [ours, peer] = await prepareEngines(10, requests);
    assert.ok(ours !== undefined && peer !== undefined);
    const reversed = { ...peer, decide: async (turn: number) => !(await peer.decide(turn)) };
    assert.equal((await decisionDifferences([ours, reversed], requests)).length, requests.length);
  });
});
