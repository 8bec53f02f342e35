// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import { canonicalPath, PATH_NORMALIZATIONS } from "../../../kernel/canonical/path.ts";
import { whyUnmatched } from "./unmatched-paths.ts";

describe("paths that no request has", () => {
  const exact = (text: string) => whyUnmatched({ uri: { exact: text } }, "MERGE_SLASHES");
  const prefix = (text: string) => whyUnmatched({ uri: { prefix: text } }, "MERGE_SLASHES");

  it("are told with the canonical form to write", () => {
    for (const why of [exact, prefix]) {
      assert.match(why("/caf\u00e9") ?? "", /write \/caf%C3%A9$/);
      assert.match(why("/a%2fb") ?? "", /write \/a%2Fb$/);
      assert.match(why("/a//b") ?? "", /write \/a\/b$/);
      assert.match(why("/a/../b") ?? "", /write \/b$/);
      assert.match(why("/%00") ?? "", /a path that has the escape %00 of a control character is refused/);
      assert.match(why("a") ?? "", /begins with \//);
      assert.match(why("/a?b=c") ?? "", /queryParams/);
      for (const path of ["/", "/a", "/a/", "/caf%C3%A9", "/a%2Fb", "/..a"])
        assert.equal(why(path), undefined, path);
    }
    for (const open of ["", "/.", "/..", "/a/.", "/a%", "/a%2"]) assert.equal(prefix(open), undefined, open);
    assert.match(exact("/.") ?? "", /write \/$/);
    assert.equal(whyUnmatched({ uri: { exact: "/a%2fb" }, ignoreUriCase: true }, "BASE"), undefined);
    assert.equal(whyUnmatched({ uri: { exact: "/a//b" } }, "BASE"), undefined);
    assert.equal(whyUnmatched({ uri: { exact: "/a/../b" } }, "NONE"), undefined);
    assert.equal(whyUnmatched({ uri: { regex: "a" } }, "BASE"), undefined);
  });

  it("are never those of a request, nor how one begins", () => {
    const part = fc.constantFrom("/", ".", "..", "a", "%", "2", "F", "f", "%41", "%C3", ";", "\\");
    const path = fc.array(part, { maxLength: 8 }).map((parts) => `/${parts.join("")}`);
    fc.assert(
      fc.property(
        path,
        fc.constantFrom(...PATH_NORMALIZATIONS),
        fc.nat(10),
        (written, normalization, end) => {
          const canonical = canonicalPath(written, normalization);
          if (typeof canonical !== "string" || normalization === "NONE") return;
          assert.equal(whyUnmatched({ uri: { exact: canonical } }, normalization), undefined);
          assert.equal(whyUnmatched({ uri: { prefix: canonical.slice(0, end) } }, normalization), undefined);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});
