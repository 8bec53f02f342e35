// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import type { Files } from "../../../../core/hooks/extension.ts";
import { createVirtualTime } from "../../../../plugins/sdk/testing/index.ts";
import { type Authority, type Certificate, createAuthority } from "../../../../test/support/certificates.ts";
import { RecordingLogger } from "../../../testing/harness.test.ts";
import { CredentialStore } from "./credential-store.ts";

/** Files that a test writes. */
class WrittenFiles implements Files {
  readonly #listeners = new Map<string, { text: (text: string) => void; error: (error: Error) => void }>();
  watch(path: string, text: (text: string) => void, error: (error: Error) => void): () => void {
    this.#listeners.set(path, { text, error });
    return () => this.#listeners.delete(path);
  }
  write(path: string, text: string): void {
    this.#listeners.get(path)?.text(text);
  }
  remove(path: string): void {
    this.#listeners.get(path)?.error(new Error(`ENOENT: ${path}`));
  }
  get watched(): readonly string[] {
    return [...this.#listeners.keys()];
  }
}

describe("the credentials of a proxy", () => {
  let authority: Authority;
  let one: Certificate;
  let two: Certificate;
  before(function () {
    authority = createAuthority(this);
    one = authority.sign("one");
    two = authority.sign("two");
  });
  after(() => authority?.remove());

  const FILES = { credentialName: "shop", certificateFile: "tls.crt", privateKeyFile: "tls.key" };
  const [CERT, KEY] = ["/c/shop/tls.crt", "/c/shop/tls.key"];

  function setUp(folder: string | undefined = "/c") {
    const files = new WrittenFiles();
    const time = createVirtualTime();
    const logger = new RecordingLogger();
    const reads: boolean[] = [];
    const store = new CredentialStore({
      files,
      folder,
      systemAuthorities: undefined,
      clock: { nowMs: () => Date.now() + time.clock.monotonicMs() },
      scheduler: time.scheduler,
      logger,
      onRead: (isGood) => reads.push(isGood),
    });
    const linesOf = (level: string) =>
      logger.lines.filter((line) => line.level === level).map(({ message }) => message);
    return { files, time, logger, reads, store, linesOf };
  }

  it("wait for all their files, and are shared by their users", async () => {
    const { files, store } = setUp();
    const first = store.hold(FILES);
    const second = store.hold({ ...FILES });
    assert.equal(first.credential, second.credential);
    assert.deepEqual(files.watched, [CERT, KEY]);
    const settled = store.settled();
    assert.ok(settled !== undefined);
    files.write(CERT, one.cert);
    assert.equal(first.credential.version, 0);
    files.write(KEY, one.key);
    await settled;
    assert.equal(store.settled(), undefined);
    assert.equal(first.credential.material?.certificate, one.cert);
    first.release();
    assert.equal(files.watched.length, 2);
    second.release();
    assert.deepEqual(files.watched, []);
  });

  it("keep the last good pair while the files do not belong together, and say so once", () => {
    const { files, time, reads, store, linesOf } = setUp();
    // The first expiry is days away, and warned of.
    const { credential } = store.hold(FILES);
    files.write(CERT, one.cert);
    files.write(KEY, one.key);
    const { version } = credential;
    const faults = () => linesOf("warn").filter((message) => message.includes("cannot be used"));
    const assertKept = (): void => {
      assert.equal(credential.material?.certificate, one.cert);
      assert.equal(credential.version, version);
    };
    // The usual renewal, one file after the other, says nothing.
    files.write(CERT, two.cert);
    assertKept();
    assert.match(credential.fault ?? "", /do not belong together: key values mismatch/);
    time.advance(500);
    files.write(KEY, two.key);
    time.advance(2_000);
    assert.equal(credential.material?.certificate, two.cert);
    assert.deepEqual(faults(), []);
    files.write(CERT, one.cert);
    files.write(KEY, one.key);
    const kept = credential.version;
    for (const bad of [
      two.cert,
      one.cert.slice(0, 300),
      "",
      "text",
      `${one.cert}-----BEGIN CERTIFICATE-----`,
    ]) {
      files.write(CERT, bad);
      time.advance(300);
      assert.equal(credential.version, kept);
      assert.equal(credential.material?.certificate, one.cert);
    }
    files.remove(CERT);
    assert.match(credential.fault ?? "", /ENOENT/);
    time.advance(60_000);
    assert.equal(faults().length, 1);
    files.write(CERT, one.cert);
    time.advance(2_000);
    assert.equal(credential.fault, undefined);
    assert.deepEqual(linesOf("info"), ["a certificate's files are good again"]);
    assert.ok(reads.includes(false));
  });

  it("never log a key", () => {
    const { files, time, store, logger } = setUp();
    store.hold(FILES);
    files.write(CERT, one.cert);
    files.write(KEY, two.key);
    time.advance(2_000);
    const body = two.key.split("\n")[1] ?? "?";
    assert.equal(JSON.stringify(logger.lines).includes(body), false);
  });

  it("tell when they end, and warn at once and daily in the last two weeks", () => {
    const { files, time, store, linesOf } = setUp();
    const long = authority.sign("long", "DNS:long.example", 16);
    const held = store.hold(FILES);
    files.write(CERT, long.cert);
    files.write(KEY, long.key);
    const [expiry] = store.expiries();
    assert.equal(expiry?.name, CERT);
    assert.ok(Math.abs((expiry?.expiresAtMs ?? 0) - Date.now() - 16 * 86_400_000) < 60_000);
    time.advance(86_400_000);
    assert.deepEqual(linesOf("warn"), []);
    time.advance(2 * 86_400_000);
    assert.deepEqual(linesOf("warn"), ["a certificate ends soon", "a certificate ends soon"]);
    time.advance(14 * 86_400_000);
    assert.equal(linesOf("warn").at(-1), "a certificate has ended");
    held.release();
    time.advance(5_000);
    assert.equal(time.scheduled, 0);
  });

  it("by name need the folder of credentials", () => {
    const { files, store } = setUp("");
    const { credential } = store.hold({ certificateFile: "a.crt", privateKeyFile: "a.key" });
    assert.deepEqual(files.watched, ["a.crt", "a.key"]);
    assert.equal(credential.fault, undefined);
    const lost = new CredentialStore({
      files,
      folder: undefined,
      systemAuthorities: undefined,
      clock: { nowMs: () => 0 },
      scheduler: createVirtualTime().scheduler,
      logger: new RecordingLogger(),
      onRead: () => {},
    });
    assert.match(lost.hold(FILES).credential.fault ?? "", /--credentials/);
    assert.equal(lost.settled(), undefined);
  });

  it("without files are settled: the authorities that Node.js brings", () => {
    const { store } = setUp();
    const { credential } = store.hold({});
    assert.equal(store.settled(), undefined);
    assert.equal(credential.material?.authorities, undefined);
    assert.notEqual(credential.material, undefined);
    assert.deepEqual(store.expiries(), []);
  });

  it("take effect without their files after 5 s, when a disk hangs", async () => {
    const { time, store } = setUp();
    store.hold(FILES);
    const settled = store.settled();
    time.advance(5_000);
    await settled;
  });
});
