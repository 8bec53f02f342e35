// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { TakenReports } from "./taken-reports.ts";

function setUp() {
  const reports = new TakenReports();
  const log = { taken: 0, repeats: 0 };
  const once = (id: string | undefined, take: () => Promise<void> | void = () => undefined) =>
    reports.once(
      id,
      () => {
        log.taken++;
        return take();
      },
      () => log.repeats++,
    );
  return { once, log };
}

describe("deduplication of reports", () => {
  it("runs once for each id, and each time without an id", () => {
    const { once, log } = setUp();
    for (const id of ["a", "b", "a", undefined, undefined, "a"]) void once(id);
    assert.deepEqual(log, { taken: 4, repeats: 2 });
  });

  it("gives a repetition the outcome of the first call, even while that is under way", async () => {
    const { once, log } = setUp();
    let finish: () => void = () => {};
    const first = once("a", () => new Promise((resolve) => (finish = resolve)));
    const again = once("a");
    finish();
    await Promise.all([first, again]);
    assert.deepEqual(log, { taken: 1, repeats: 1 });
  });

  it("tries a failed report again", async () => {
    const { once, log } = setUp();
    assert.throws(() =>
      once("a", () => {
        throw new Error("draining");
      }),
    );
    await assert.rejects(Promise.resolve(once("a", () => Promise.reject(new Error("no")))));
    await once("a");
    assert.deepEqual(log, { taken: 3, repeats: 0 });
  });
});
