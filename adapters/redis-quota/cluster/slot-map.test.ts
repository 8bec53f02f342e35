// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { parseRedirect } from "./redirect.ts";
import { SlotMap } from "./slot-map.ts";

const ASKED = { host: "10.0.0.9", port: 7000 };

describe("the slot map of a cluster", () => {
  it("has each slot's primary and all nodes, in every form of a node's host", () => {
    const map = SlotMap.parse(
      [
        [0, 99, ["10.0.0.1", 7001, "id", ["hostname", "a"]], ["10.0.0.2", 7002, "id", []]],
        [100, 200, [null, 7003], ["", 7004]],
        [201, 201, ["::1", 7005], ["?", 7006]],
      ],
      ASKED,
    );
    assert.deepEqual(
      [0, 99, 100, 201, 202].map((slot) => map.primaryOf(slot)),
      ["10.0.0.1:7001", "10.0.0.1:7001", "10.0.0.9:7003", "[::1]:7005", undefined],
    );
    assert.deepEqual([...map.primaries.keys()], ["10.0.0.1:7001", "10.0.0.9:7003", "[::1]:7005"]);
    assert.deepEqual(
      [...map.replicas.values()],
      [
        { host: "10.0.0.2", port: 7002 },
        { host: "10.0.0.9", port: 7004 },
        { host: "10.0.0.9", port: 7006 },
      ],
    );
    assert.equal(map.isWhole, false);
  });

  it("is whole when every slot has a primary, and knows of moved slots", () => {
    const map = SlotMap.parse(
      [
        [0, 8_000, ["a", 1]],
        [8_001, 16_383, ["b", 2]],
      ],
      ASKED,
    );
    assert.equal(map.isWhole, true);
    map.move(5, "c:3");
    assert.deepEqual([map.primaryOf(4), map.primaryOf(5)], ["a:1", "c:3"]);
  });

  it("is refused in another form", () => {
    for (const reply of [
      "OK",
      [1],
      [[0, 16_383]],
      [[0, 16_384, ["a", 1]]],
      [[-1, 5, ["a", 1]]],
      [["0", 5, ["a", 1]]],
      [[0, 5, ["a", "1"]]],
      [[0, 5, "a"]],
    ])
      assert.throws(() => SlotMap.parse(reply, ASKED), TypeError, JSON.stringify(reply));
  });
});

describe("a redirect of a cluster", () => {
  it("names the node that has the slot", () => {
    assert.deepEqual(parseRedirect("MOVED 3999 127.0.0.1:6381", ASKED), {
      kind: "moved",
      slot: 3999,
      address: { host: "127.0.0.1", port: 6381 },
    });
    assert.deepEqual(parseRedirect("ASK 1 ::1:6381", ASKED)?.address, { host: "::1", port: 6381 });
    assert.deepEqual(parseRedirect("MOVED 1 :6381", ASKED)?.address, { host: "10.0.0.9", port: 6381 });
  });

  it("is no other reply", () => {
    for (const reason of [
      "MOVED 16384 a:1",
      "MOVED __proto__ a:1",
      "MOVED 1 a",
      "ERR MOVED 1 a:1",
      "CLUSTERDOWN Hash slot not served",
      "TRYAGAIN Multiple keys request during rehashing of slot",
    ])
      assert.equal(parseRedirect(reason, ASKED), undefined, reason);
  });
});
