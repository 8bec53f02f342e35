// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { privateFolder } from "./compile-cache.ts";

const NAMES = ["purser", "compiled-1.2.3"];

describe("the folder of compiled modules", () => {
  const uid = process.getuid?.();
  let base: string;
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "purser-compiled-"));
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  it("is made for its owner alone, and found again", () => {
    const folder = privateFolder(base, NAMES, uid);
    assert.equal(folder, join(base, ...NAMES));
    for (const path of [join(base, "purser"), folder]) assert.equal(statSync(path).mode & 0o777, 0o700);
    assert.equal(privateFolder(base, NAMES, uid), folder);
  });

  for (const writable of [[], ["purser"], NAMES])
    for (const mode of [0o720, 0o702, 0o777, 0o1777])
      it(`is refused while others may write to ${join("the base", ...writable)}: ${mode.toString(8)}`, () => {
        mkdirSync(join(base, ...NAMES), { recursive: true, mode: 0o700 });
        chmodSync(join(base, ...writable), mode);
        assert.equal(privateFolder(base, NAMES, uid), undefined);
      });

  it("is refused when another user owns it", () => {
    assert.equal(privateFolder(base, NAMES, (uid ?? 0) + 1), undefined);
  });

  it("is refused when it is a link", () => {
    mkdirSync(join(base, "elsewhere"), { mode: 0o700 });
    symlinkSync(join(base, "elsewhere"), join(base, "purser"));
    assert.equal(privateFolder(base, NAMES, uid), undefined);
  });

  it("is refused, without an error, where none can be made", () => {
    assert.equal(privateFolder(join(base, "absent"), NAMES, uid), undefined);
    writeFileSync(join(base, "purser"), "");
    assert.equal(privateFolder(base, NAMES, uid), undefined);
    assert.equal(privateFolder(base, NAMES, undefined), undefined);
  });
});
