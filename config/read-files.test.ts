// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_SIZE_LIMITS, readFiles } from "./read-files.ts";

describe("reading configuration files", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "purser-read-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const codes = async (paths: readonly string[], limits = DEFAULT_SIZE_LIMITS) =>
    (await readFiles(paths, limits)).diagnostics.map(({ code, location }) => [code, location.file]);

  it("gives the same set the same version, wherever its folder stands", async () => {
    for (const place of ["here", "there"]) {
      mkdirSync(join(folder, place, "sub"), { recursive: true });
      writeFileSync(join(folder, place, "sub", "a.yaml"), "a: 1");
      writeFileSync(join(folder, place, "b.yaml"), "b: 2");
    }
    const version = async () => (await readFiles([join(folder, "there")], DEFAULT_SIZE_LIMITS)).version;
    const here = await readFiles([join(folder, "here")], DEFAULT_SIZE_LIMITS);
    assert.match(here.version, /^[0-9a-f]{16}$/);
    assert.equal(await version(), here.version);
    writeFileSync(join(folder, "there", "b.yaml"), "b: 3");
    assert.notEqual(await version(), here.version);
    writeFileSync(join(folder, "there", "b.yaml"), "b: 2");
    writeFileSync(join(folder, "there", "c.yaml"), "");
    assert.notEqual(await version(), here.version);
  });

  it("reports a path that does not exist, and a file that is not text", async () => {
    writeFileSync(join(folder, "latin.yaml"), Buffer.from([0x61, 0x3a, 0xe4]));
    assert.deepEqual(await codes([join(folder, "nowhere"), folder]), [
      ["PURSER_DOC_UNREADABLE", join(folder, "nowhere")],
      ["PURSER_DOC_UNREADABLE", join(folder, "latin.yaml")],
    ]);
  });

  it("reads YAML files in any case of their endings, and no others", async () => {
    const names = ["a.yaml", "b.yml", "c.YAML", "d.Yml", "e.yaml~", "f.txt", "gyaml"];
    for (const name of names) writeFileSync(join(folder, name), "a: 1");
    const { files } = await readFiles([folder], DEFAULT_SIZE_LIMITS);
    assert.deepEqual(
      files.map(({ path }) => path),
      names.slice(0, 4).map((name) => join(folder, name)),
    );
  });

  it("skips dotfiles and installed packages", async () => {
    for (const place of [".git", join("node_modules", "some"), join("sub", "node_modules")]) {
      mkdirSync(join(folder, place), { recursive: true });
      writeFileSync(join(folder, place, "a.yaml"), "a: 1");
    }
    writeFileSync(join(folder, ".a.yaml"), "a: 1");
    writeFileSync(join(folder, "sub", "b.yaml"), "b: 2");
    const { files } = await readFiles([folder], DEFAULT_SIZE_LIMITS);
    assert.deepEqual(
      files.map(({ path }) => path),
      [join(folder, "sub", "b.yaml")],
    );
  });

  it("does not wait for a pipe", async () => {
    execFileSync("mkfifo", [join(folder, "pipe.yaml")]);
    assert.deepEqual(await codes([folder]), [["PURSER_DOC_UNREADABLE", join(folder, "pipe.yaml")]]);
  });

  it("refuses a file, and a set, that is too large, without reading it", async () => {
    for (const name of ["a", "b", "c"]) writeFileSync(join(folder, `${name}.yaml`), "x".repeat(100));
    writeFileSync(join(folder, "big.yaml"), "x".repeat(151));
    assert.deepEqual(await codes([folder], { maxFileBytes: 150, maxConfigBytes: 500 }), [
      ["PURSER_DOC_TOO_LARGE", join(folder, "big.yaml")],
    ]);
    assert.deepEqual(await codes([folder], { maxFileBytes: 200, maxConfigBytes: 250 }), [
      ["PURSER_DOC_TOO_LARGE", join(folder, "big.yaml")],
    ]);
  });

  it("follows links to folders, but no loops of links", async () => {
    mkdirSync(join(folder, "real"));
    writeFileSync(join(folder, "real", "a.yaml"), "a: 1");
    symlinkSync("real", join(folder, "linked"));
    const { files } = await readFiles([folder], DEFAULT_SIZE_LIMITS);
    assert.deepEqual(
      files.map(({ path }) => path),
      [join(folder, "linked", "a.yaml"), join(folder, "real", "a.yaml")],
    );
    symlinkSync("..", join(folder, "real", "up"));
    const circular = await readFiles([folder], DEFAULT_SIZE_LIMITS);
    assert.deepEqual(
      circular.diagnostics.map(({ location }) => location.file),
      [join(folder, "linked", "up"), join(folder, "real", "up")],
    );
  });
});
