// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readExplainKey } from "./explain-key-file.ts";

describe("the file of the explain key", () => {
  let folder: string;

  before(async () => void (folder = await mkdtemp(join(tmpdir(), "purser-explain-key-"))));
  after(() => rm(folder, { recursive: true, force: true }));

  async function keyIn(text: string) {
    const file = join(folder, "key");
    await writeFile(file, text);
    return readExplainKey(file);
  }

  it("holds a key, with or without a final newline", async () => {
    const isKey = await keyIn("0123456789abcdef\n");
    assert.equal(isKey?.("0123456789abcdef"), true);
    assert.equal(isKey?.("0123456789abcdeF"), false);
    assert.equal(isKey?.(""), false);
  });

  it("is refused when it is missing, or its key is short or not valid in a header", async () => {
    await assert.rejects(readExplainKey(join(folder, "gone")), { code: "PURSER_CLI_USAGE" });
    for (const text of ["", "short", "a key that has spaces in it"])
      await assert.rejects(keyIn(text), { code: "PURSER_CLI_USAGE" });
  });

  it("is optional", async () => assert.equal(await readExplainKey(undefined), undefined));
});
