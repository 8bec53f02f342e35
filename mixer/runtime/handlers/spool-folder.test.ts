// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { SPOOL_CODEC } from "./spool-codec.ts";
import { SpoolFolder } from "./spool-folder.ts";

describe("a spool's folder", () => {
  let root: string;
  let path: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "purser-folder-"));
    path = join(root, "handler", "logentry");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const lock = (host: string, pid: number): void =>
    writeFileSync(join(path, "lock"), JSON.stringify({ host, pid, id: 1 }));

  it("appends, reads, replaces, forces to the disk and removes files", async () => {
    const folder = new SpoolFolder(path);
    await folder.open();
    for (const name of ["a", "b", "c", "d"]) await folder.append(name, bytes(`${name}1`));
    await folder.append("a", bytes("2"));
    await folder.sync("a");
    await folder.replace("state", bytes("x"));
    await folder.replace("state", bytes("yz"));
    const text = async (name: string, offset: number, length: number): Promise<string> =>
      new TextDecoder().decode(await folder.read(name, offset, length));
    assert.equal(await text("a", 1, 10), "12");
    assert.equal(await text("state", 0, 10), "yz");
    await folder.remove("a");
    await folder.remove("a");
    assert.deepEqual([...(await folder.list())].sort(), ["b", "c", "d", "lock", "state"]);
    await folder.close();
    await folder.close();
    assert.deepEqual(readdirSync(path).sort(), ["b", "c", "d", "state"]);
  });

  it("is used by one handler at a time: the next one waits for the end of the one before", async () => {
    const [first, second] = [new SpoolFolder(path), new SpoolFolder(path)];
    await first.open();
    let opened = false;
    const opening = second.open().then(() => (opened = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(opened, false);
    await first.close();
    await opening;
    await second.close();
  });

  it("takes over the lock of a process that is gone, and refuses that of one that may live", async () => {
    const folder = new SpoolFolder(path);
    await folder.open();
    await folder.close();
    for (const [host, pid] of [
      [hostname(), 4_000_000],
      [hostname(), process.pid],
    ] as const) {
      lock(host, pid);
      await folder.open();
      await folder.close();
    }
    lock("another-host", 7);
    await assert.rejects(folder.open(), /the folder is in use: .*another-host/);
    lock(hostname(), process.ppid);
    await assert.rejects(folder.open(), /the folder is in use/);
    // Nobody has renewed it for long.
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(join(path, "lock"), longAgo, longAgo);
    await folder.open();
    await folder.close();
    assert.equal(existsSync(join(path, "lock")), false);
  });

  it("writes nothing more after another process has had the folder, although it was paused meanwhile", async () => {
    const { now } = Date;
    for (const left of [false, true]) {
      const folder = new SpoolFolder(path);
      await folder.open();
      await folder.append("segment", bytes("a"));
      try {
        // The process was stopped for so long that another one took the lock over.
        Date.now = () => now() + 60_000;
        if (left) rmSync(join(path, "lock"));
        else lock("another-host", 7);
        const reason = left ? /the lock .* is gone/ : /another process took the folder .*another-host/;
        await assert.rejects(folder.append("segment", bytes("b")), reason);
        await assert.rejects(folder.replace("state", bytes("b")), reason);
        await assert.rejects(folder.remove("segment"), reason);
      } finally {
        Date.now = now;
      }
      await folder.close();
      assert.deepEqual(readdirSync(path).sort(), left ? ["segment"] : ["lock", "segment"]);
      rmSync(join(path, "lock"), { force: true });
    }
  });

  it("rejects with the platform's error, and can be opened later", async () => {
    writeFileSync(join(root, "handler"), "a file in the way");
    const folder = new SpoolFolder(path);
    await assert.rejects(folder.open(), { code: /ENOTDIR|EEXIST/ });
    rmSync(join(root, "handler"));
    await folder.open();
    await folder.close();
  });

  it("keeps values exactly", () => {
    const value = { a: undefined, b: Number.NaN, c: [1n, new Date(5)], d: "\ud800é" };
    assert.deepEqual(SPOOL_CODEC.decode(SPOOL_CODEC.encode(value)), value);
    assert.throws(() => SPOOL_CODEC.encode({ f: () => 1 }));
  });
});
