// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isPurserError } from "../../kernel/errors.ts";
import { smallDisk } from "../../test/support/small-disk.ts";
import { FolderStore } from "./folder-store.ts";
import type { IdentityState, JournalEntry } from "./state.ts";

const STATE: IdentityState = {
  version: 1,
  trustDomain: "cluster.local",
  signers: [{ certificate: "c", root: "r", privateKey: "SECRET", state: "signing", sinceMs: 1 }],
  tokens: [{ hash: "h", spiffeId: "spiffe://cluster.local/ns/a/sa/b", expiresAtMs: 2 }],
  revokedIds: [],
  revokedSerials: [],
};
const ENTRY: JournalEntry = {
  serial: "1A",
  spiffeId: "spiffe://cluster.local/ns/a/sa/b",
  signer: "s",
  issuedAtMs: 1,
  notAfterMs: 2,
};

describe("the folder of the identity service", () => {
  let parent: string;
  let folder: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "purser-identity-"));
    folder = join(parent, "a", "state");
  });
  afterEach(() => rmSync(parent, { recursive: true, force: true }));

  const damaged = (reason: RegExp) => (error: unknown) =>
    isPurserError(error) && error.code === "PURSER_IDENTITY_STATE" && reason.test(error.message);
  const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

  it("is made, and only its user may read it", async () => {
    const store = await FolderStore.open(folder);
    assert.equal(await store.load(), undefined);
    assert.equal(await store.loadJournal(), undefined);
    await store.save(STATE);
    await store.appendJournal(ENTRY);
    const key = await store.operatorKey();
    assert.match(key, /^[\w-]{43}$/);
    assert.equal(await store.operatorKey(), key);
    assert.equal(modeOf(folder), "700");
    const files = readdirSync(folder).toSorted();
    assert.deepEqual(files, ["identity.json", "issued.jsonl", "operator.key"]);
    for (const file of files) assert.equal(modeOf(join(folder, file)), "600", file);
    const again = await FolderStore.open(folder);
    assert.deepEqual(await again.load(), STATE);
    assert.deepEqual(await again.loadJournal(), [ENTRY]);
  });

  it("keeps the old state when the new one cannot be written", async () => {
    const store = await FolderStore.open(folder);
    await store.save(STATE);
    const cyclic: Record<string, unknown> = {};
    cyclic["self"] = cyclic;
    await assert.rejects(async () => store.save(cyclic as never));
    assert.deepEqual(await store.load(), STATE);
    assert.deepEqual(readdirSync(folder), ["identity.json"]);
  });

  it("forgets the last line of a journal that a crash has cut, and refuses others that are damaged", async () => {
    const store = await FolderStore.open(folder);
    await store.appendJournal(ENTRY);
    await store.appendJournal({ ...ENTRY, serial: "2", previous: "1A" });
    appendFileSync(join(folder, "issued.jsonl"), '{"serial":"3');
    assert.deepEqual(
      (await store.loadJournal())?.map(({ serial }) => serial),
      ["1A", "2"],
    );
    appendFileSync(join(folder, "issued.jsonl"), "\n");
    await assert.rejects(store.loadJournal(), damaged(/issued.jsonl is not JSON/));
    await store.saveJournal([ENTRY]);
    assert.deepEqual(await store.loadJournal(), [ENTRY]);
  });

  it("keeps its journal readable when a full disk cuts off a line", async function () {
    const disk = smallDisk();
    if (disk === undefined) return this.skip();
    try {
      const store = await FolderStore.open(disk.folder);
      await store.saveJournal([ENTRY]);
      const filler = join(disk.folder, "filler");
      writeFileSync(filler, "x".repeat(52_000));
      let written = 1;
      const fill = async (): Promise<void> => {
        for (; written < 1_000; written++) await store.appendJournal({ ...ENTRY, serial: `${written}` });
      };
      await assert.rejects(fill, damaged(/ENOSPC/));
      rmSync(filler);
      await store.appendJournal({ ...ENTRY, serial: "AFTER" });
      const serials = (await store.loadJournal())?.map(({ serial }) => serial);
      assert.deepEqual([serials?.length, serials?.at(-1)], [written + 1, "AFTER"]);
    } finally {
      disk.remove();
    }
  });

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ["cut off", JSON.stringify(STATE).slice(0, 150), /identity.json is not JSON$/],
    ["empty", "", /is not JSON$/],
    ["null", "null", /has the version undefined/],
    [
      "of a later version",
      JSON.stringify({ ...STATE, version: 2 }),
      /has the version 2; this program knows 1/,
    ],
    ["without signers", JSON.stringify({ ...STATE, signers: undefined }), /signers/],
    ["of a wrong form", JSON.stringify({ ...STATE, tokens: [{ hash: 1 }] }), /tokens/],
  ];
  for (const [what, text, reason] of wrong)
    it(`is refused with a state that is ${what}, and shows no key`, async () => {
      const store = await FolderStore.open(folder);
      writeFileSync(join(folder, "identity.json"), text);
      await assert.rejects(store.load(), (error) => {
        assert.ok(!String(error).includes("SECRET"));
        return damaged(reason)(error);
      });
      assert.equal(readFileSync(join(folder, "identity.json"), "utf8"), text);
    });

  it("is refused when it is a file", async () => {
    writeFileSync(join(parent, "file"), "");
    await assert.rejects(FolderStore.open(join(parent, "file")), damaged(/cannot make/));
  });
});
