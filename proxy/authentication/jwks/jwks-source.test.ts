// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { AbortSignalLike } from "../../../kernel/deadline.ts";
import { RecordingLogger } from "../../testing/harness.test.ts";
import { VirtualTime } from "../../testing/virtual-time.test.ts";
import { Authenticator } from "../authenticator.ts";
import { type Issuer, issuerOf, NOW_MS, ruleOf } from "../issuer-rig.test.ts";
import type { FetchedJwks } from "./fetch-jwks.ts";
import { JwksSources } from "./jwks-sources.ts";
import { refreshMs } from "./refresh-time.ts";

const URL_OF_KEYS = "https://issuer.example/jwks?token=hush";
const PLACE = { kind: "header", name: "authorization", prefix: "Bearer " } as const;
const MINUTE = 60_000;

interface Fetch {
  readonly signal: AbortSignalLike;
  answer(text: string, cacheControl?: string): Promise<void>;
  fail(): Promise<void>;
}

/** The keys of one URL on virtual time: the test answers each fetch. */
class Rig {
  readonly time = new VirtualTime();
  readonly fetches: Fetch[] = [];
  readonly results: string[] = [];
  readonly logger = new RecordingLogger();
  readonly sources: JwksSources;
  readonly authenticator: Authenticator;

  constructor(issuer: Issuer, timeoutMs = 5_000) {
    this.time.now = NOW_MS;
    this.sources = new JwksSources({
      clock: this.time,
      random: () => 0,
      scheduler: this.time,
      logger: this.logger,
      fetch: (url, signal) => {
        assert.equal(url, URL_OF_KEYS);
        return new Promise<FetchedJwks>((resolve, reject) => {
          this.fetches.push({
            signal,
            answer: (text, cacheControl) => {
              resolve({ text, cacheControl });
              return settle();
            },
            fail: () => {
              reject(new Error("is away"));
              return settle();
            },
          });
        });
      },
      onFetched: (url, result) => this.results.push(`${url} ${result}`),
    });
    const rule = ruleOf(issuer, { keys: { kind: "remote", url: URL_OF_KEYS, timeoutMs } });
    this.sources.use([{ rules: [rule] }]);
    this.authenticator = new Authenticator({ rules: [rule] }, this.sources, this.time);
  }

  get last(): Fetch {
    const last = this.fetches.at(-1);
    assert.ok(last !== undefined);
    return last;
  }

  async look(text: string): Promise<string> {
    const result = await this.authenticator.verify({ text, place: PLACE });
    return result.kind === "verified" ? (result.isCached ? "cached" : "verified") : result.refusal;
  }

  async pass(durationMs: number): Promise<void> {
    this.time.pass(durationMs);
    await settle();
  }
}

/** Lets promises and the verifications of signatures settle. */
async function settle(): Promise<void> {
  for (let round = 0; round < 20; round++) await turn();
}

const ISSUER = issuerOf("https://issuer.example");

describe("keys at a URL", () => {
  it("are waited for by the first requests, together", async () => {
    const rig = new Rig(ISSUER);
    const waiting = [rig.look(ISSUER.token()), rig.look(ISSUER.token({ sub: "bob" }))];
    await settle();
    assert.equal(rig.fetches.length, 1);
    await rig.last.answer(ISSUER.jwks);
    assert.deepEqual(await Promise.all(waiting), ["verified", "verified"]);
    assert.deepEqual(rig.results, ["https://issuer.example/jwks changed"]);
  });

  it("that do not come within the timeout refuse requests, which wait no longer, and are tried again", async () => {
    const rig = new Rig(ISSUER, 2_000);
    const waiting = rig.look(ISSUER.token());
    await settle();
    await rig.pass(2_000);
    assert.equal(await waiting, "keys_unavailable");
    assert.equal(rig.last.signal.aborted, true);
    // During the pause nobody waits.
    assert.equal(await rig.look(ISSUER.token()), "keys_unavailable");
    assert.equal(rig.fetches.length, 1);
    await rig.pass(1_000);
    assert.equal(rig.fetches.length, 2);
    await rig.last.answer(ISSUER.jwks);
    assert.equal(await rig.look(ISSUER.token()), "verified");
  });

  it("are asked for at growing intervals while the server is away, up to a minute", async () => {
    const rig = new Rig(ISSUER);
    const pauses: number[] = [];
    for (let failure = 0; failure < 4; failure++) {
      await rig.last.fail();
      const before = rig.fetches.length;
      let pauseMs = 0;
      while (rig.fetches.length === before) {
        await rig.pass(100);
        pauseMs += 100;
        assert.ok(pauseMs <= MINUTE);
      }
      pauses.push(pauseMs);
    }
    // The jitter is 0 here: each pause is the shortest.
    assert.deepEqual(pauses, [1_000, 1_000, 1_000, 1_000]);
  });

  const bad: readonly (readonly [what: string, text: string])[] = [
    ["garbage", "<html>"],
    ["no object", "[]"],
    ["no keys", '{"keys":[]}'],
    ["10,000 keys", JSON.stringify({ keys: Array.from({ length: 10_000 }, () => ISSUER.jwk) })],
    ["secrets alone", JSON.stringify({ keys: [{ kty: "oct", k: "A".repeat(64) }] })],
    ["a private key", JSON.stringify({ keys: [{ ...ISSUER.jwk, d: "AAAA" }] })],
    ["keys for encryption", JSON.stringify({ keys: [{ ...ISSUER.jwk, use: "enc" }] })],
    ["nothing", ""],
  ];
  for (const [what, text] of bad)
    it(`that become ${what} leave the last good ones in force, however long`, async () => {
      const rig = new Rig(ISSUER);
      await rig.last.answer(ISSUER.jwks);
      assert.equal(await rig.look(ISSUER.token()), "verified");
      await rig.pass(20 * MINUTE);
      assert.equal(rig.fetches.length, 2);
      await rig.last.answer(text);
      for (let hour = 0; hour < 3; hour++) {
        await rig.pass(60 * MINUTE);
        await rig.last.fail();
        const exp = rig.time.now / 1_000 + 60;
        assert.equal(await rig.look(ISSUER.token({ exp })), "verified");
      }
      assert.ok(rig.results.slice(1).every((result) => result.endsWith("failed")));
      const [age] = rig.sources.ages();
      assert.deepEqual(age, { url: "https://issuer.example/jwks", ageMs: 200 * MINUTE });
      assert.ok(rig.logger.lines.every(({ fields }) => !JSON.stringify(fields).includes("hush")));
    });

  it("that are rotated are fetched for the first token with the new key, and the old key is gone", async () => {
    const rig = new Rig(ISSUER);
    await rig.last.answer(ISSUER.jwks);
    const old = ISSUER.token();
    assert.equal(await rig.look(old), "verified");
    assert.equal(await rig.look(old), "cached");
    const next = issuerOf(ISSUER.name, "RS256", "key-2");
    const waiting = [rig.look(next.token()), rig.look(next.token({ sub: "bob" }))];
    await settle();
    assert.equal(rig.fetches.length, 2);
    await rig.last.answer(JSON.stringify({ keys: [next.jwk] }));
    assert.deepEqual(await Promise.all(waiting), ["verified", "verified"]);
    const again = rig.look(old);
    await settle();
    assert.equal(rig.fetches.length, 3);
    await rig.last.fail();
    assert.equal(await again, "no_key");
  });

  it("that are fetched unchanged keep the verified tokens", async () => {
    const rig = new Rig(ISSUER);
    await rig.last.answer(ISSUER.jwks, "max-age=600");
    const token = ISSUER.token();
    assert.equal(await rig.look(token), "verified");
    await rig.pass(10 * MINUTE);
    await rig.last.answer(ISSUER.jwks);
    assert.equal(await rig.look(token), "cached");
    assert.equal(rig.results.at(-1), "https://issuer.example/jwks unchanged");
  });

  it("are not fetched more often because tokens name keys that do not exist", async () => {
    const rig = new Rig(ISSUER);
    await rig.last.answer(ISSUER.jwks);
    const answerAll = async (): Promise<void> => {
      for (const fetch of rig.fetches) await fetch.answer(ISSUER.jwks);
    };
    // A minute of hostile tokens, ten a second.
    for (let tick = 0; tick < 600; tick++) {
      const refused = rig.look(ISSUER.token({}, { kid: `hostile-${tick}` }));
      await settle();
      await answerAll();
      assert.equal(await refused, "no_key");
      if (tick % 100 === 0) assert.equal(await rig.look(ISSUER.token({ jti: String(tick) })), "verified");
      rig.time.pass(100);
    }
    // One at the start, three at once, and one each 10 s.
    assert.ok(rig.fetches.length <= 1 + 3 + 6, `${rig.fetches.length} fetches`);
  }).timeout(20_000);

  it("are fetched once more when a fetch that was under way brought the old ones, within the timeout", async () => {
    const rig = new Rig(ISSUER, 5_000);
    await rig.last.answer(ISSUER.jwks);
    await rig.pass(20 * MINUTE);
    const next = issuerOf(ISSUER.name, "ES256", "key-2");
    const exp = rig.time.now / 1_000 + 600;
    const [found, late] = [rig.look(next.token({ exp })), rig.look(next.token({ exp, sub: "bob" }))];
    await settle();
    await rig.pass(3_000);
    await rig.last.answer(ISSUER.jwks);
    assert.equal(rig.fetches.length, 3);
    await rig.last.answer(JSON.stringify({ keys: [next.jwk] }));
    assert.deepEqual([await found, await late], ["verified", "verified"]);

    const third = rig.look(issuerOf(ISSUER.name, "ES256", "key-3").token({ exp }));
    await settle();
    await rig.pass(20 * MINUTE);
    assert.equal(await third, "no_key");
  });

  it("of no rule are not fetched any more, and those of a kept rule stay", async () => {
    const rig = new Rig(ISSUER);
    await rig.last.answer(ISSUER.jwks);
    const source = rig.sources.find(URL_OF_KEYS);
    const rule = ruleOf(ISSUER, { keys: { kind: "remote", url: URL_OF_KEYS, timeoutMs: 1 } });
    rig.sources.use([{ rules: [rule] }]);
    assert.equal(rig.sources.find(URL_OF_KEYS), source);
    rig.sources.use([]);
    assert.throws(() => rig.sources.find(URL_OF_KEYS));
    await rig.pass(120 * MINUTE);
    assert.equal(rig.fetches.length, 1);
    assert.equal(rig.time.tasks.size, 0);
    // A request that began before is still decided.
    assert.equal(await rig.look(ISSUER.token({ exp: rig.time.now / 1_000 + 60 })), "verified");
  });
});

describe("the time to the next fetch of keys", () => {
  const cases: readonly (readonly [field: string | undefined, minutes: number])[] = [
    [undefined, 20],
    ["public, max-age=600", 10],
    ["max-age=600, must-revalidate", 10],
    ['max-age="600"', 10],
    ["MAX-AGE=600", 10],
    ["s-maxage=60", 20],
    ["x-max-age=600", 20],
    ["max-age=0", 5],
    ["max-age=-1", 20],
    ["max-age=99999999999999999999", 20],
    ["no-store", 5],
    ["private, no-cache, max-age=1200", 5],
    ["garbage", 20],
  ];
  for (const [field, minutes] of cases)
    it(`of ${field ?? "no field"} is ${minutes} minutes`, () =>
      assert.equal(refreshMs(field), minutes * MINUTE));
});
