// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isPurserError } from "../../kernel/errors.ts";
import { createCollectingLogger } from "../../plugins/sdk/testing/index.ts";
import { eventually } from "../../test/support/eventually.ts";
import { followTokenFile } from "./token-file.ts";

const A = "a".repeat(16);
const B = "b".repeat(16);

describe("a file of tokens", () => {
  const folder = mkdtempSync(join(tmpdir(), "purser-tokens-"));
  const path = join(folder, "tokens");
  after(() => rmSync(folder, { recursive: true }));

  async function follow() {
    const logger = createCollectingLogger();
    let tick = (): void => {};
    let tokens: readonly string[] = [];
    await followTokenFile({
      path,
      flag: "--control-token-file",
      logger,
      scheduler: { after: () => () => {}, every: (_, task) => ((tick = task), () => {}) },
      onTokens: (next) => (tokens = next),
    });
    return { logger, tokens: () => tokens, tick: () => tick() };
  }

  async function faultOf(text: string | Uint8Array): Promise<string> {
    writeFileSync(path, text);
    const error = await follow().then(
      () => assert.fail("the file was accepted"),
      (reason: unknown) => reason,
    );
    assert.ok(isPurserError(error) && error.code === "PURSER_CLI_USAGE");
    return error.message;
  }

  it("has a token on each line", async () => {
    writeFileSync(path, `${A}\r\n\n  ${B}  \n`);
    assert.deepEqual((await follow()).tokens(), [A, B]);
  });

  it("is refused by its line, and never by its text", async () => {
    const secret = "short-secret";
    const message = await faultOf(`${A}\n${secret}\n`);
    assert.match(message, /^line 2 of /);
    assert.ok(!message.includes(secret));
    for (const text of [
      "",
      "\n \n",
      `${A} ${B}`,
      `${A}é`,
      "a".repeat(4_097),
      `${A}\n`.repeat(101),
      "a".repeat(70_000),
    ])
      await faultOf(text);
    unlinkSync(path);
    await assert.rejects(follow(), /cannot be read/);
  });

  it("is read anew, and keeps its last tokens while it cannot be used", async () => {
    writeFileSync(path, A);
    const { logger, tokens, tick } = await follow();
    writeFileSync(path, B);
    tick();
    await eventually(async () => assert.deepEqual(tokens(), [B]));
    const errors = (): number => logger.lines.filter(({ level }) => level === "error").length;
    unlinkSync(path);
    tick();
    await eventually(async () => assert.equal(errors(), 1));
    tick();
    writeFileSync(path, "short");
    tick();
    await eventually(async () => {
      tick();
      assert.equal(errors(), 2);
    });
    assert.deepEqual(tokens(), [B]);
    writeFileSync(path, A);
    await eventually(async () => {
      tick();
      assert.deepEqual(tokens(), [A]);
    });
    assert.ok(!JSON.stringify(logger.lines).includes(A) && !JSON.stringify(logger.lines).includes(B));
  });
});
