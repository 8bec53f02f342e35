// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createJsonataCompiler } from "../core/expressions/jsonata-engine.ts";
import type { Diagnostic } from "../kernel/diagnostic.ts";
import type { Logger, Scheduler } from "../kernel/ports.ts";
import type { Snapshot } from "../core/snapshot/snapshot.ts";
import type { ConfigSource } from "./config-source.ts";
import { POLICIES } from "./emptiness.ts";
import { createFileSource, type FileSourceOptions } from "./file-source.ts";

const scheduler: Scheduler = {
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
  every(intervalMs, task) {
    const timer = setInterval(task, intervalMs);
    return () => clearInterval(timer);
  },
};

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

const policy = (name: string, action = "DENY") =>
  `apiVersion: purser.dev/v1\nkind: AccessPolicy\nmetadata: { name: ${name} }\nspec: { action: ${action} }\n`;

describe("a file source", () => {
  let folder: string;
  let opened: ConfigSource[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "purser-config-"));
    opened = [];
  });

  afterEach(async () => {
    await Promise.all(opened.map((source) => source.close()));
    await rm(folder, { recursive: true });
  });

  const open = (options: Partial<FileSourceOptions> = {}): ConfigSource => {
    const source = createFileSource({
      paths: [folder],
      compile: createJsonataCompiler(),
      inventory: { adapters: new Map(), plugins: new Map() },
      clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
      scheduler,
      logger: silent,
      ...options,
    });
    opened.push(source);
    return source;
  };

  const put = (name: string, text: string) => writeFile(join(folder, name), text);

  /**
   * The next set that the source publishes, or its faults; fails after three seconds, far more than an idle
   * machine needs.
   */
  const next = (source: ConfigSource): Promise<Snapshot | readonly Diagnostic[]> =>
    new Promise((resolve, reject) => {
      const done = (value: Snapshot | readonly Diagnostic[]) => {
        clearTimeout(timer);
        ends.forEach((end) => end());
        resolve(value);
      };
      const ends = [source.subscribe(done), source.onRejected(done)];
      const timer = setTimeout(() => {
        ends.forEach((end) => end());
        reject(new Error("nothing was published within three seconds"));
      }, 3_000);
    });

  const nextNames = async (source: ConfigSource): Promise<readonly string[]> => {
    const value = await next(source);
    assert.ok("version" in value, JSON.stringify(value));
    return value.accessPolicies.map(({ name }) => name);
  };

  it("publishes the first set, in the order of the files' names", async () => {
    await put("b.yaml", policy("two"));
    await put("a.yml", policy("one"));
    await mkdir(join(folder, "c"));
    await put("c/deep.yaml", policy("three"));
    await put(".hidden.yaml", "not: [even, yaml");
    await put("notes.txt", "nor this");
    const result = await open({ watch: false }).start();
    assert.ok(result.ok);
    assert.deepEqual(
      result.value.accessPolicies.map(({ name, location }) => [name, location.file]),
      [
        ["one", join(folder, "a.yml")],
        ["two", join(folder, "b.yaml")],
        ["three", join(folder, "c/deep.yaml")],
      ],
    );
  });

  it("refuses a first set with a fault, and takes the corrected one", async () => {
    await put("a.yaml", policy("one", "DENNY"));
    const source = open();
    const result = await source.start();
    assert.ok(!result.ok);
    assert.deepEqual(source.lastRejection, result.diagnostics);
    assert.equal(source.current, undefined);
    const published = nextNames(source);
    await put("a.yaml", policy("one"));
    assert.deepEqual(await published, ["one"]);
    assert.equal(source.lastRejection, undefined);
  });

  it("publishes an edit, a new file and a removed file", async () => {
    await put("a.yaml", policy("one"));
    const source = open();
    await source.start();
    const edited = nextNames(source);
    await put("a.yaml", policy("changed"));
    assert.deepEqual(await edited, ["changed"]);
    const added = nextNames(source);
    await mkdir(join(folder, "more"));
    await put("more/b.yaml", policy("two"));
    assert.deepEqual(await added, ["changed", "two"]);
    const removed = nextNames(source);
    await rm(join(folder, "more"), { recursive: true });
    assert.deepEqual(await removed, ["changed"]);
  });

  it("keeps the set in force when an edit is broken, and reports the place of the fault", async () => {
    await put("a.yaml", policy("one"));
    const source = open();
    await source.start();
    const { current } = source;
    const rejected = next(source);
    await put("a.yaml", policy("one", "DENNY"));
    const diagnostics = await rejected;
    assert.ok(!("version" in diagnostics));
    assert.deepEqual(
      diagnostics.map(({ code, location }) => [code, location]),
      [["PURSER_DOC_INVALID_VALUE", { file: join(folder, "a.yaml"), line: 4, column: 17 }]],
    );
    assert.equal(source.current, current);
    assert.equal(source.lastRejection, diagnostics);
  });

  it("clears the rejection, and publishes the set in force again, when a broken edit is reverted", async () => {
    await put("a.yaml", policy("one"));
    const source = open();
    await source.start();
    const { current } = source;
    const rejected = next(source);
    await put("a.yaml", "}");
    await rejected;
    const published: unknown[] = [];
    source.subscribe((snapshot) => published.push(snapshot));
    await put("a.yaml", policy("one"));
    const deadline = Date.now() + 3_000;
    while (published.length === 0 && Date.now() < deadline) await new Promise((r) => setTimeout(r, 10));
    assert.equal(source.lastRejection, undefined);
    assert.equal(source.current, current);
    assert.deepEqual(published, [current]);
  });

  it("sees an editor that renames a new file over the old one", async () => {
    await put("a.yaml", policy("one"));
    const source = open({ paths: [join(folder, "a.yaml")] });
    await source.start();
    for (const name of ["two", "three"]) {
      const published = nextNames(source);
      await put(".a.yaml.swp", policy(name));
      await rename(join(folder, ".a.yaml.swp"), join(folder, "a.yaml"));
      assert.deepEqual(await published, [name]);
    }
  });

  it("sees a whole folder that is replaced by another", async () => {
    const place = join(folder, "live");
    await mkdir(place);
    await put("live/a.yaml", policy("one"));
    const source = open({ paths: [place] });
    await source.start();
    for (const name of ["two", "three"]) {
      await mkdir(join(folder, name));
      await put(`${name}/a.yaml`, policy(name));
      const published = nextNames(source);
      await rename(place, join(folder, `before-${name}`));
      await rename(join(folder, name), place);
      assert.deepEqual(await published, [name]);
    }
  });

  it("sees a ConfigMap that Kubernetes updates by replacing a link", async () => {
    const mount = join(folder, "mount");
    await mkdir(join(mount, "..first"), { recursive: true });
    await put("mount/..first/a.yaml", policy("one"));
    await symlink("..first", join(mount, "..data"));
    await symlink("..data/a.yaml", join(mount, "a.yaml"));
    const source = open({ paths: [mount] });
    const result = await source.start();
    assert.ok(result.ok);
    assert.deepEqual(
      result.value.accessPolicies.map(({ name }) => name),
      ["one"],
    );
    for (const name of ["two", "three"]) {
      const published = nextNames(source);
      await mkdir(join(mount, `..${name}`));
      await put(`mount/..${name}/a.yaml`, policy(name));
      await symlink(`..${name}`, join(mount, "..data_tmp"));
      await rename(join(mount, "..data_tmp"), join(mount, "..data"));
      assert.deepEqual(await published, [name]);
    }
  });

  it("sees a linked folder whose link is changed", async () => {
    const live = join(folder, "live");
    for (const name of ["one", "two", "three"]) {
      await mkdir(join(folder, name));
      await put(`${name}/a.yaml`, policy(name));
    }
    await symlink("one", live);
    const source = open({ paths: [live] });
    await source.start();
    for (const name of ["two", "three"]) {
      const published = nextNames(source);
      await symlink(name, join(folder, "next"));
      await rename(join(folder, "next"), live);
      assert.deepEqual(await published, [name]);
      const edited = nextNames(source);
      await put(`${name}/a.yaml`, policy(`${name}-edited`));
      assert.deepEqual(await edited, [`${name}-edited`]);
    }
  });

  it("sees edits in a folder that is reached through a link", async () => {
    await mkdir(join(folder, "main"));
    await mkdir(join(folder, "elsewhere"));
    await put("elsewhere/a.yaml", policy("one"));
    await symlink("../elsewhere", join(folder, "main", "linked"));
    const source = open({ paths: [join(folder, "main")] });
    await source.start();
    const published = nextNames(source);
    await put("elsewhere/a.yaml", policy("two"));
    assert.deepEqual(await published, ["two"]);
  });

  it("sees edits in a folder that was removed and made again at once", async () => {
    await mkdir(join(folder, "sub"));
    await put("sub/a.yaml", policy("one"));
    const source = open();
    await source.start();
    const published = nextNames(source);
    await rm(join(folder, "sub"), { recursive: true });
    await mkdir(join(folder, "sub"));
    await put("sub/a.yaml", policy("two"));
    assert.deepEqual(await published, ["two"]);
    const edited = nextNames(source);
    await put("sub/a.yaml", policy("three"));
    assert.deepEqual(await edited, ["three"]);
  });

  it("sees an edit of a file that a link leads to, and a link that is changed on the way to it", async () => {
    await mkdir(join(folder, "first"));
    await mkdir(join(folder, "second"));
    await mkdir(join(folder, "main"));
    await put("first/a.yaml", policy("one"));
    await put("second/a.yaml", policy("two"));
    await symlink("first", join(folder, "current"));
    await symlink("../current/a.yaml", join(folder, "main", "linked.yaml"));
    const source = open({ paths: [join(folder, "main", "linked.yaml")] });
    await source.start();
    const edited = nextNames(source);
    await put("first/a.yaml", policy("edited"));
    assert.deepEqual(await edited, ["edited"]);
    const changed = nextNames(source);
    await symlink("second", join(folder, "next"));
    await rename(join(folder, "next"), join(folder, "current"));
    assert.deepEqual(await changed, ["two"]);
  });

  it("never publishes a half-written file", async () => {
    const whole = Array.from({ length: 50 }, (_, index) => policy(`p${index}`)).join("---\n");
    await put("a.yaml", whole);
    const source = open();
    await source.start();
    const seen: number[] = [];
    source.subscribe((snapshot) => seen.push(snapshot.accessPolicies.length));
    const larger = `${whole}---\n${policy("last")}`;
    const finished = next(source);
    // The file is written in pieces, each a valid set of fewer documents.
    const pieces = larger.split("---\n");
    await put("a.yaml", "");
    for (let end = 10; end <= pieces.length + 9; end += 10) {
      await put("a.yaml", pieces.slice(0, end).join("---\n"));
      await new Promise((resume) => setTimeout(resume, 15));
    }
    await finished;
    assert.deepEqual(seen, [51]);
  });

  it("takes the newest of many edits", async () => {
    await put("a.yaml", policy("p"));
    const source = open({ quietMs: 5 });
    await source.start();
    for (let edit = 0; edit < 30; edit++)
      await put("a.yaml", policy(`p${edit}`, edit % 3 === 0 ? "DENNY" : "DENY"));
    const deadline = Date.now() + 3_000;
    while (source.current?.accessPolicies[0]?.name !== "p29" && Date.now() < deadline)
      await new Promise((resume) => setTimeout(resume, 10));
    assert.equal(source.current?.accessPolicies[0]?.name, "p29");
  });

  it("parses and compiles only changed files and expressions again", async () => {
    const withWhen = (name: string, when: string) =>
      policy(name).replace("action: DENY", `action: DENY, when: ${when}`);
    await put("a.yaml", withWhen("one", '"1 = 1"'));
    await put("b.yaml", withWhen("two", '"2 = 2"'));
    const engine = createJsonataCompiler();
    const compiled: string[] = [];
    const source = open({
      compile: (text) => {
        compiled.push(text);
        return engine(text);
      },
    });
    await source.start();
    const published = next(source);
    await put("b.yaml", withWhen("two", '"3 = 3"'));
    await published;
    assert.deepEqual(compiled, ["1 = 1", "2 = 2", "3 = 3"]);
  });

  it("publishes nothing when files are touched but not changed", async () => {
    await put("a.yaml", policy("one"));
    const source = open({ quietMs: 5 });
    await source.start();
    let published = 0;
    source.subscribe(() => published++);
    await utimes(join(folder, "a.yaml"), 1, 1);
    await put("a.yaml", policy("one"));
    await new Promise((resume) => setTimeout(resume, 150));
    assert.equal(published, 0);
  });

  it("logs the warnings of each set that it accepts, once", async () => {
    const warnings: string[] = [];
    const logger: Logger = { ...silent, warn: (message) => warnings.push(message) };
    const risky = policy("a").replace("DENY }", "DENY, when: request.useragent != 'curl' }");
    await writeFile(join(folder, "a.yaml"), risky);
    const source = open({ logger });
    assert.equal((await source.start()).ok, true);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] as string, /a\.yaml:4:29: warning: .* \[PURSER_EXPR_ABSENT\]/);
  });

  it("calls the other listeners when one throws", async () => {
    await put("a.yaml", policy("one"));
    const logged: string[] = [];
    const source = open({ logger: { ...silent, error: (message) => logged.push(message) } });
    await source.start();
    source.subscribe(() => {
      throw new Error("a listener's mistake");
    });
    const published = nextNames(source);
    await put("a.yaml", policy("two"));
    assert.deepEqual(await published, ["two"]);
    assert.deepEqual(logged, ["configuration listener failed"]);
  });

  it("keeps the set in force when the folder is emptied, and accepts the next set that is not empty", async () => {
    await put("a.yaml", policy("one"));
    const source = open({ purposes: [POLICIES] });
    await source.start();
    const rejected = next(source);
    await rm(join(folder, "a.yaml"));
    const diagnostics = await rejected;
    assert.ok(!("version" in diagnostics));
    assert.deepEqual(
      diagnostics.map(({ code, location }) => [code, location.file]),
      [["PURSER_CONFIG_EMPTY", folder]],
    );
    assert.equal(source.current?.accessPolicies[0]?.name, "one");
    const published = nextNames(source);
    await put("b.yaml", policy("two"));
    assert.deepEqual(await published, ["two"]);
  });

  it("keeps the set in force while a volume is unmounted, and sees it mounted again", async function () {
    const place = join(folder, "volume");
    const mount = (): void => void execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", place]);
    const unmount = (): void => void execFileSync("umount", ["-l", place], { stdio: "ignore" });
    await mkdir(place);
    try {
      mount();
    } catch {
      this.skip(); // Only root may mount.
    }
    try {
      await put("volume/a.yaml", policy("one"));
      const every: Scheduler["every"] = (_intervalMs, task) => scheduler.every(200, task);
      const source = open({ paths: [place], purposes: [POLICIES], scheduler: { ...scheduler, every } });
      await source.start();
      for (const name of ["two", "three"]) {
        const rejected = next(source);
        unmount();
        const diagnostics = await rejected;
        assert.ok(!("version" in diagnostics) && diagnostics[0]?.code === "PURSER_CONFIG_EMPTY");
        assert.notEqual(source.current, undefined);
        const published = nextNames(source);
        mount();
        await put("volume/a.yaml", policy(name));
        assert.deepEqual(await published, [name]);
        // The watch is on the new volume.
        const edited = nextNames(source);
        await put("volume/a.yaml", policy(`${name}-edited`));
        assert.deepEqual(await edited, [`${name}-edited`]);
      }
    } finally {
      unmount();
    }
  });

  it("calls no listener once it is closed", async () => {
    await put("a.yaml", policy("one"));
    const source = open({ quietMs: 5 });
    await source.start();
    let called = 0;
    source.subscribe(() => called++);
    source.onRejected(() => called++);
    await put("a.yaml", policy("two"));
    await source.close();
    await source.close();
    await put("a.yaml", policy("three"));
    await new Promise((resume) => setTimeout(resume, 100));
    assert.equal(called, 0);
  });
});
