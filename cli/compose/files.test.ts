// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filesBeside } from "./files.ts";

const WAIT_MS = 5_000;

describe("the files that a handler's configuration names", () => {
  let folder: string;
  const texts: string[] = [];
  const errors: Error[] = [];
  let stop: () => void = () => {};

  const until = async (holds: () => boolean): Promise<void> => {
    const endMs = performance.now() + WAIT_MS;
    while (!holds()) {
      assert.ok(performance.now() < endMs, JSON.stringify({ texts, errors: errors.map(String) }));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "purser-files-"));
    texts.length = 0;
    errors.length = 0;
  });
  afterEach(() => {
    stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const watch = (path: string): void => {
    stop = filesBeside(join(folder, "policies.yaml")).watch(
      path,
      (text) => texts.push(text),
      (error) => errors.push(error),
    );
  };

  it("are read relative to the document, at once and after each change", async () => {
    writeFileSync(join(folder, "list.txt"), "one");
    watch("./list.txt");
    await until(() => texts.length === 1);
    writeFileSync(join(folder, "list.txt"), "two");
    await until(() => texts.length === 2);
    assert.deepEqual([texts, errors], [["one", "two"], []]);
  });

  it("are followed when an editor replaces them", async () => {
    writeFileSync(join(folder, "list.txt"), "one");
    watch("list.txt");
    await until(() => texts.length === 1);
    writeFileSync(join(folder, "list.txt~"), "two");
    renameSync(join(folder, "list.txt~"), join(folder, "list.txt"));
    await until(() => texts.includes("two"));
  });

  it("that do not exist are an error, until they do", async () => {
    watch("list.txt");
    await until(() => errors.length === 1);
    assert.match(errors[0]?.message ?? "", /ENOENT.*list\.txt/);
    writeFileSync(join(folder, "list.txt"), "here");
    await until(() => texts.includes("here"));
  });

  it("that are deleted are an error, and are read again when they are back with the same text", async () => {
    writeFileSync(join(folder, "list.txt"), "same");
    watch("list.txt");
    await until(() => texts.length === 1);
    unlinkSync(join(folder, "list.txt"));
    await until(() => errors.length > 0);
    writeFileSync(join(folder, "list.txt"), "same");
    await until(() => texts.length === 2);
  });

  it("are no longer read after the watch has ended", async () => {
    writeFileSync(join(folder, "list.txt"), "one");
    watch("list.txt");
    await until(() => texts.length === 1);
    stop();
    writeFileSync(join(folder, "list.txt"), "two");
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual(texts, ["one"]);
  });
});
