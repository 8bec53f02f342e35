// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { hashPlaces } from "./hash-places.ts";

describe("the places of a hash", () => {
  it("are those in which the values of each label differ most", () => {
    const hosts = ["adverts", "details", "reviews", "billing"].map(
      (name) => `${name}.default.svc.cluster.local`,
    );
    const codes = ["200", "400", "500"];
    const sets = hosts.flatMap((host) => codes.map((code) => [host, code, "GET"]));
    const [host = 0, ...others] = hashPlaces(3, sets);
    assert.equal(new Set(hosts.map((name) => name.at(-1 - host))).size, 4);
    assert.deepEqual(others, [2, 0]);
  });

  it("prefer a value's end, and take short, empty and absent values", () => {
    assert.deepEqual(hashPlaces(2, [["", "a"], ["b", ""], []]), [0, 0]);
    assert.deepEqual(hashPlaces(1, []), [0]);
    assert.deepEqual(hashPlaces(0, [[]]), []);
  });

  it("come from label sets of all ages", () => {
    const old = Array.from({ length: 500 }, () => ["same"]);
    const recent = Array.from({ length: 500 }, (_, index) => [`${String.fromCharCode(97 + (index % 26))}-z`]);
    assert.deepEqual(hashPlaces(1, [...old, ...recent]), [2]);
    assert.deepEqual(hashPlaces(1, [...recent, ...old]), [2]);
  });
});
