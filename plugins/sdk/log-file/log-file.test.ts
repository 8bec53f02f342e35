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
import { gunzipSync } from "node:zlib";
import { eventually } from "../../../test/support/eventually.ts";
import { smallDisk } from "../../../test/support/small-disk.ts";
import { LogFile } from "./log-file.ts";

describe("a log file", () => {
  let folder: string;
  let path: string;
  let file: LogFile;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "purser-log-file-"));
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

  it("moves no old file twice when a rotation fails in the middle", async () => {
    file = new LogFile({ path, maxFileBytes: 1, keepFiles: 3 });
    for (const text of ["1\n", "2\n", "3\n"]) await file.append(text);
    // What a rotation leaves that moved the old files only.
    renameSync(`${path}.2`, `${path}.3`);
    renameSync(`${path}.1`, `${path}.2`);
    await file.append("4\n");
    assert.deepEqual(
      ["log.3", "log.2", "log.1", "log"].map((name) => read(name)),
      ["1\n", "2\n", "3\n", "4\n"],
    );
  });

  it("compresses on the next rotation what a stop left uncompressed", async () => {
    file = new LogFile({ path, maxFileBytes: 1, keepFiles: 3 });
    for (const text of ["1\n", "2\n"]) await file.append(text);
    await file.close();
    file = new LogFile({ path, maxFileBytes: 1, keepFiles: 3, gzip: true });
    await file.append("3\n");
    await eventually(async () => {
      assert.deepEqual(readdirSync(folder).toSorted(), ["log", "log.1.gz", "log.2.gz"]);
    });
    assert.equal(gunzipSync(readFileSync(`${path}.2.gz`)).toString(), "1\n");
  });

  it("leaves a whole file when it is closed during a compression", async () => {
    file = new LogFile({ path, maxFileBytes: 1, keepFiles: 3, gzip: true });
    const large = `${"x".repeat(20_000_000)}\n`;
    for (const text of [large, "2\n"]) await file.append(text);
    await file.close();
    assert.deepEqual(readdirSync(folder).toSorted(), ["log", "log.1"]);
    assert.equal(statSync(`${path}.1`).size, large.length);
  });

  it("truncates the beginning of a text that a full disk cut off, and writes it whole later", async function () {
    const disk = smallDisk();
    if (disk === undefined) return this.skip();
    try {
      file = new LogFile({ path: join(disk.folder, "log"), maxFileBytes: 0, keepFiles: 2, sync: true });
      await file.append("before\n");
      const large = `${"x".repeat(40_000)}\n`;
      const filler = join(disk.folder, "filler");
      writeFileSync(filler, "x".repeat(40_000));
      await assert.rejects(file.append(large), { code: "ENOSPC" });
      assert.equal(readFileSync(join(disk.folder, "log"), "utf8"), "before\n");
      rmSync(filler);
      await file.append(large);
      assert.equal(readFileSync(join(disk.folder, "log"), "utf8"), `before\n${large}`);
    } finally {
      await file.close();
      disk.remove();
    }
  });
});
