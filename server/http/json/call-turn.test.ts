// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CallTurn, type StagedCall } from "./call-turn.ts";

describe("the calls of a turn", () => {
  let log: string[];
  let turn: CallTurn;

  beforeEach(() => {
    log = [];
    turn = new CallTurn();
  });

  const call = (name: string, decide = (own: StagedCall) => turn.replyInTurn(own)): StagedCall => {
    const own: StagedCall = {
      decide: () => {
        log.push(`decide ${name}`);
        decide(own);
      },
      encode: () => void log.push(`encode ${name}`),
      write: () => void log.push(`write ${name}`),
    };
    return own;
  };

  it("are decided, encoded and written stage by stage, each in order of arrival", async () => {
    for (const name of ["a", "b", "c"]) turn.decideInTurn(call(name));
    assert.deepEqual(log, []);
    await nextTurn();
    assert.deepEqual(
      log,
      ["decide", "encode", "write"].flatMap((stage) => ["a", "b", "c"].map((name) => `${stage} ${name}`)),
    );
  });

  it("are replied to in a later turn when their reply is known later", async () => {
    let late: StagedCall | undefined;
    turn.decideInTurn(call("late", (own) => (late = own)));
    turn.decideInTurn(call("prompt"));
    await nextTurn();
    assert.deepEqual(log, ["decide late", "decide prompt", "encode prompt", "write prompt"]);
    log = [];
    turn.replyInTurn(late as StagedCall);
    turn.decideInTurn(call("next"));
    await nextTurn();
    assert.deepEqual(log, ["decide next", "encode late", "encode next", "write late", "write next"]);
  });

  it("may be listed while the stages run: those wait for the next turn", async () => {
    turn.decideInTurn(
      call("first", (own) => {
        turn.decideInTurn(call("second"));
        turn.replyInTurn(own);
      }),
    );
    await nextTurn();
    assert.deepEqual(log, ["decide first", "encode first", "write first"]);
    await nextTurn();
    assert.deepEqual(log.slice(3), ["decide second", "encode second", "write second"]);
  });
});
