// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LogFile } from "./log-file.ts";

describe("the file of a decision log", () => {
  let folder: string;
  let path: string;
  let file: LogFile;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "purser-decisions-"));
    path = join(folder, "log");
    file = new LogFile({ path, maxFileBytes: 0, keepFiles: 2 });
  });
  afterEach(async () => {
    await file.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const read = (name: string): string => readFileSync(join(folder, name), "utf8");

  it("is appended to, and readable by its owner only", async () => {
    writeFileSync(path, "before\n");
    await file.append("a\n");
    await file.append("b\n");
    assert.equal(read("log"), "before\na\nb\n");
    rmSync(path);
    await file.append("c\n");
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it("starts a new line after an incomplete one", async () => {
    writeFileSync(path, '{"v":1,"ti');
    await file.append("a\n");
    assert.equal(read("log"), '{"v":1,"ti\na\n');
  });

  it("is reopened when it was moved away or removed", async () => {
    await file.append("a\n");
    renameSync(path, `${path}-moved`);
    await file.append("b\n");
    rmSync(path);
    await file.append("c\n");
    assert.deepEqual([read("log-moved"), read("log")], ["a\n", "c\n"]);
  });

  it("is rotated before it grows too large, and the oldest file is deleted", async () => {
    file = new LogFile({ path, maxFileBytes: 4, keepFiles: 2 });
    for (const text of ["1\n", "2\n", "3\n", "4\n", "5\n", "6\n", "7\n"]) await file.append(text);
    assert.deepEqual(readdirSync(folder).toSorted(), ["log", "log.1", "log.2"]);
    assert.deepEqual([read("log.2"), read("log.1"), read("log")], ["3\n4\n", "5\n6\n", "7\n"]);
  });

  it("starts empty when no file is kept, and accepts a text larger than maxFileBytes", async () => {
    file = new LogFile({ path, maxFileBytes: 3, keepFiles: 0 });
    await file.append("too long\n");
    await file.append("1\n");
    assert.deepEqual(readdirSync(folder), ["log"]);
    assert.equal(read("log"), "1\n");
  });

  it("rejects while its folder is missing, and continues when it is back", async () => {
    file = new LogFile({ path: join(folder, "later", "log"), maxFileBytes: 0, keepFiles: 2 });
    await assert.rejects(file.append("a\n"), { code: "ENOENT" });
    renameSync(mkdtempSync(join(folder, "made-")), join(folder, "later"));
    await file.append("a\n");
    assert.equal(read("later/log"), "a\n");
  });

  it("rejects when the disk is full", async function () {
    if (!existsSync("/dev/full")) this.skip();
    file = new LogFile({ path: "/dev/full", maxFileBytes: 10, keepFiles: 2 });
    await assert.rejects(file.append("a\n"), { code: "ENOSPC" });
    await assert.rejects(file.append("a\n"), { code: "ENOSPC" });
  });
});
