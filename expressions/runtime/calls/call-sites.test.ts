// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { CallSites } from "./call-sites.ts";

describe("the places of calls", () => {
  it("are the last of each function, until the next evaluation", () => {
    const sites = new CallSites();
    const [map, sum] = [{}, {}];
    sites.set(map, { position: 1, token: "map" });
    sites.set(sum, { position: 2, token: "sum" });
    sites.set(map, { position: 3, token: "map" });
    assert.deepEqual([sites.of(map)?.position, sites.of(sum)?.position], [3, 2]);
    sites.clear();
    assert.deepEqual([sites.of(map), sites.of(sum)], [undefined, undefined]);
    sites.set(sum, { position: 4, token: "sum" });
    assert.deepEqual([sites.of(map), sites.of(sum)?.position], [undefined, 4]);
  });
});
