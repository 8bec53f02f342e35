// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { logLine } from "../../test/support/log-records.ts";
import { linesOf, MAX_LINE_LENGTH } from "./log-lines.ts";
import { LogReader, type ReadLogsOptions } from "./read-logs.ts";

const at = (second: number): string =>
  `${JSON.stringify(logLine(undefined, { id: String(second), time: `2026-01-01T00:00:${String(second).padStart(2, "0")}.000Z` }))}\n`;

describe("the reader of decision logs", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "purser-logs-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const file = (name: string, content: string | Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  const readerOf = (paths: readonly string[], options: Partial<ReadLogsOptions> = {}): LogReader =>
    new LogReader({ paths, sinceMs: -Infinity, untilMs: Infinity, strict: false, ...options });

  const idsOf = async (reader: LogReader): Promise<readonly (string | undefined)[]> => {
    const ids: (string | undefined)[] = [];
    for await (const { line } of reader.records()) ids.push(line.id);
    return ids;
  };

  it("merges plain and compressed files by time", async () => {
    const plain = file("a", at(1) + at(3) + at(5));
    const packed = file("b.gz", gzipSync(at(2) + at(4)));
    assert.deepEqual(await idsOf(readerOf([plain, packed, file("empty", "")])), ["1", "2", "3", "4", "5"]);
  });

  it("keeps to the time interval, whose end is exclusive", async () => {
    const path = file("a", at(1) + at(2) + at(3));
    const since = Date.UTC(2026, 0, 1, 0, 0, 2);
    assert.deepEqual(await idsOf(readerOf([path], { sinceMs: since })), ["2", "3"]);
    assert.deepEqual(await idsOf(readerOf([path], { untilMs: since })), ["1"]);
  });

  it("counts malformed lines, shows the first few, and continues", async () => {
    const reader = readerOf([file("a", `${at(1)}${"nonsense\n".repeat(7)}\n${at(2)}`)]);
    assert.deepEqual(await idsOf(reader), ["1", "2"]);
    assert.equal(reader.malformed.count, 7);
    assert.deepEqual(reader.malformed.first.length, 5);
    assert.deepEqual(reader.malformed.first[0], {
      where: `${join(folder, "a")}:2`,
      problem: "not a JSON object",
    });
  });

  it("fails at the first malformed line when it is strict", async () => {
    const reader = readerOf([file("a", `${at(1)}{}\n`)], { strict: true });
    await assert.rejects(idsOf(reader), { code: "PURSER_REPLAY_LOG", message: /a:2: not a line/ });
  });

  it("reports the file that it cannot read", async () => {
    await assert.rejects(idsOf(readerOf([join(folder, "none")])), {
      code: "PURSER_REPLAY_LOG",
      message: /none.*ENOENT/,
    });
    await assert.rejects(idsOf(readerOf([join(folder, "none.gz")])), {
      code: "PURSER_REPLAY_LOG",
      message: /ENOENT/,
    });
    const broken = file("broken.gz", gzipSync(at(1).repeat(99)).subarray(0, 60));
    await assert.rejects(idsOf(readerOf([broken])), { code: "PURSER_REPLAY_LOG", message: /unexpected end/ });
  });

  it("holds no line longer than the bound", async () => {
    const path = file("a", `${"x".repeat(MAX_LINE_LENGTH + 200_000)}\n${at(1)}last`);
    const lines: unknown[] = [];
    for await (const { text, number } of linesOf(path)) lines.push([number, text?.slice(0, 4)]);
    assert.deepEqual(lines, [
      [1, undefined],
      [2, '{"v"'],
      [3, "last"],
    ]);
  });
});
