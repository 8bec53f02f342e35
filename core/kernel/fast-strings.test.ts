// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";
import { restoreFastStrings } from "./fast-strings.ts";

setFlagsFromString("--allow-natives-syntax");
const isFast = runInThisContext("() => %HasFastProperties(String.prototype)") as () => boolean;
// It is compiled when it is first called.
isFast();
setFlagsFromString("--no-allow-natives-syntax");

describe("restoreFastStrings", () => {
  it("undoes what a subclass of String does to all strings", () => {
    // oxlint-disable-next-line typescript/no-extraneous-class -- declaring it is what does it
    class Text extends String {}
    assert.equal(isFast(), false, `${Text.name} slows no string down: this is needed no more`);
    restoreFastStrings();
    assert.equal(isFast(), true);
  });
});
