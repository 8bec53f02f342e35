// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";

/**
 * Runs in a fresh process: in a process that has run much code V8 may have repaired String.prototype already.
 */
const SCRIPT = `
  import { restoreFastStrings } from ${JSON.stringify(new URL("./fast-strings.ts", import.meta.url).href)};
  const seen = [%HasFastProperties(String.prototype)];
  class Text extends String {}
  seen.push(%HasFastProperties(String.prototype));
  restoreFastStrings();
  seen.push(%HasFastProperties(String.prototype));
  console.log(seen.join(" "));
`;

describe("restoreFastStrings", () => {
  it("undoes the slowdown of all strings by a subclass of String", () => {
    const flags = ["--allow-natives-syntax", "--import=tsx", "--input-type=module", "--eval", SCRIPT];
    const seen = execFileSync(process.execPath, flags, { encoding: "utf8", timeout: 20_000 });
    assert.equal(seen.trim(), "true false true", "if it is never false, this is needed no more");
  });
});
