// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { appendFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { watchPaths } from "./file-watcher.ts";
import { placesOf } from "./link-places.ts";

/** Events come within a few milliseconds; a busy machine takes longer. */
const SETTLE_MS = 150;
const settle = () => new Promise((resume) => setTimeout(resume, SETTLE_MS));

describe("a watch of the configuration", () => {
  let folder: string;
  let changes: number;
  let close: () => void;

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "purser-watch-")));
    changes = 0;
    await mkdir(join(folder, "conf"));
    await writeFile(join(folder, "conf/a.yaml"), "");
    await writeFile(join(folder, "run.log"), "");
    await writeFile(join(folder, "conf/run.log"), "");
    close = await watchPaths({
      paths: [join(folder, "conf")],
      folders: [join(folder, "conf")],
      onChange: () => changes++,
      onError: (error) => assert.fail(String(error)),
    });
  });

  afterEach(async () => {
    close();
    await rm(folder, { recursive: true });
  });

  it("is not disturbed by a log that grows in the folder or beside it", async () => {
    await settle();
    changes = 0;
    for (let line = 0; line < 20; line++) {
      await appendFile(join(folder, "run.log"), "line\n");
      await appendFile(join(folder, "conf/run.log"), "line\n");
    }
    await settle();
    assert.equal(changes, 0);
  });

  it("sees an edit, a new entry of any name, and a replaced folder", async () => {
    for (const change of [
      () => appendFile(join(folder, "conf/a.yaml"), "# edited"),
      () => mkdir(join(folder, "conf/more")),
      () => rm(join(folder, "conf"), { recursive: true }),
      () => mkdir(join(folder, "conf")),
    ]) {
      await settle();
      changes = 0;
      await change();
      await settle();
      assert.ok(changes > 0, String(change));
    }
  });

  it("is silent once it is closed, and where a folder is gone", async () => {
    close();
    const gone = await watchPaths({
      paths: [join(folder, "none", "conf")],
      folders: [join(folder, "none", "conf")],
      onChange: () => changes++,
      onError: (error) => assert.fail(String(error)),
    });
    changes = 0;
    await appendFile(join(folder, "conf/a.yaml"), "# edited");
    await settle();
    assert.equal(changes, 0);
    gone();
  });

  it("follows each link on the way to a path, and ends in a circle of links", async () => {
    await symlink("conf", join(folder, "current"));
    await symlink("../current/a.yaml", join(folder, "conf/b.yaml"));
    const places = await placesOf(join(folder, "conf/b.yaml"));
    const short = places.map((place) => `${place.folder.slice(folder.length)}/${place.name}`);
    assert.deepEqual([...new Set(short)], ["/conf/b.yaml", "/current/a.yaml", "/current", "/conf/a.yaml"]);
    await symlink("circle", join(folder, "circle"));
    assert.ok((await placesOf(join(folder, "circle"))).length > 1);
  });
});
