// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExtensionContext, PurserError } from "../../../plugins/sdk/index.ts";
import {
  type BackendScript,
  createMemoryFiles,
  createTestContext,
  describeAdapterContract,
  type FakeBackend,
  logEntryInstance,
  startFakeBackend,
} from "../../../plugins/sdk/testing/index.ts";
import { type RunningStandIn, startGoogleStandIn } from "../../../test/support/google-stand-in/server.ts";
import type { StackdriverConfig } from "../config.ts";
import { stackdriver } from "../index.ts";
import { createTokens } from "./credentials.ts";
import type { TokenSource } from "./token-source.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});

const keyOf = (changes: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    type: "service_account",
    project_id: "demo",
    private_key_id: "1",
    private_key: privateKey,
    client_email: "purser@demo.iam.gserviceaccount.com",
    client_id: "1",
    ...changes,
  });

describe("the tokens of stackdriver", () => {
  let running: RunningStandIn;
  let nowMs = Date.UTC(2026, 0, 1);
  const closing: (() => Promise<void> | void)[] = [];
  const never = new AbortController();

  beforeEach(async () => {
    running = await startGoogleStandIn({ nowMs: () => nowMs, requireToken: true, publicKey });
  });

  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
    await running.close();
  });

  const contextOf = (config: Readonly<Record<string, unknown>>, url = running.url) => {
    const files = createMemoryFiles();
    const endpoints = { monitoring: url, logging: url, trace: url, token: `${url}/token`, metadata: url };
    const context = createTestContext(stackdriver, { project: "demo", endpoints, ...config }, { files });
    closing.push(() => context.http.close());
    return context;
  };
  const tokensOf = (
    context: ExtensionContext<StackdriverConfig>,
    env: Readonly<Record<string, string>> = { CLOUDSDK_CONFIG: "/nonexistent" },
  ): TokenSource => {
    const tokens = createTokens(context, env);
    closing.push(() => tokens.close());
    return tokens;
  };
  const failureOf = (call: Promise<unknown>): Promise<PurserError> =>
    call.then(
      () => assert.fail("it did not reject"),
      (error: unknown) => error as PurserError,
    );
  const serving = async (
    script: BackendScript,
  ): Promise<{ readonly backend: FakeBackend; readonly url: string }> => {
    const backend = await startFakeBackend(script);
    closing.push(() => backend.close());
    return { backend, url: `http://127.0.0.1:${backend.address.port}` };
  };
  const answering =
    (head: string, body = "{}"): BackendScript =>
    (socket) =>
      void socket.once("data", () =>
        socket.end(`HTTP/1.1 ${head}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`),
      );

  it("come from a key, once for calls at the same time, and until they expire soon", async () => {
    const context = contextOf({ credentials: "key", key: keyOf() });
    const tokens = tokensOf(context);
    assert.deepEqual(await Promise.all([tokens.token(never), tokens.token(never)]), [
      "ya29.stand-in-1",
      "ya29.stand-in-1",
    ]);
    context.time.advance(3_200_000);
    assert.equal(await tokens.token(never), "ya29.stand-in-1");
    context.time.advance(200_000);
    assert.equal(await tokens.token(never), "ya29.stand-in-2");
    assert.equal(context.time.scheduled, 0);
  });

  it("come from a key's file as it is now", async () => {
    const context = contextOf({ credentials: "key", keyFile: "key.json" });
    const tokens = tokensOf(context);
    assert.equal((await failureOf(tokens.token(never))).retryable, true);
    context.files.fail("key.json");
    assert.equal((await failureOf(tokens.token(never))).retryable, false);
    context.files.set("key.json", keyOf());
    assert.equal(await tokens.token(never), "ya29.stand-in-1");
    tokens.close();
    assert.equal(context.files.watching, 0);
  });

  it("come from the metadata server", async () => {
    const tokens = tokensOf(contextOf({ credentials: "metadata" }));
    assert.equal(await tokens.token(never), "ya29.stand-in-1");
    const { url } = await serving(answering("200 OK", '{"access_token":"x","expires_in":3600}'));
    const foreign = tokensOf(contextOf({ credentials: "metadata" }, url));
    const error = await failureOf(foreign.token(never));
    assert.match(error.message, /not a metadata server/);
    assert.equal(error.retryable, false);
  });

  it("come from application default credentials: a named file, then gcloud's, then the metadata server", async () => {
    const folder = mkdtempSync(join(tmpdir(), "purser-adc-"));
    closing.push(() => rmSync(folder, { recursive: true }));
    const context = contextOf({});
    assert.equal(await tokensOf(context).token(never), "ya29.stand-in-1");
    writeFileSync(join(folder, "application_default_credentials.json"), keyOf());
    assert.equal(await tokensOf(context, { CLOUDSDK_CONFIG: folder }).token(never), "ya29.stand-in-2");
    const named = { GOOGLE_APPLICATION_CREDENTIALS: join(folder, "key.json"), CLOUDSDK_CONFIG: folder };
    const error = await failureOf(tokensOf(context, named).token(never));
    assert.match(error.message, /GOOGLE_APPLICATION_CREDENTIALS names a file that cannot be read/);
    assert.equal(error.retryable, false);
    writeFileSync(join(folder, "key.json"), keyOf());
    assert.equal(await tokensOf(context, named).token(never), "ya29.stand-in-3");
  });

  it("are refused for good when the credentials are wrong, without a word of the secret", async () => {
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const foreign = other.export({ type: "pkcs8", format: "pem" });
    for (const key of [
      keyOf({ private_key: foreign }),
      keyOf({ private_key: "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n" }),
      keyOf({ private_key: undefined }),
      "{secret",
      "[]",
      "null",
      "",
    ]) {
      const error = await failureOf(tokensOf(contextOf({ credentials: "key", key })).token(never));
      assert.equal(error.code, "PURSER_HANDLER_FAILED", key);
      assert.equal(error.retryable, false, error.message);
      assert.match(error.message, /^the Google credentials cannot be used: ./);
      assert.doesNotMatch(error.message, /secret|c2VjcmV0|BEGIN/);
    }
  });

  it("are worth a retry when the token server is away or busy, and each try is one request", async () => {
    for (const head of ["503 Service Unavailable", "500 Internal Server Error", "429 Too Many Requests"]) {
      const { backend, url } = await serving(answering(head));
      for (const config of [{ credentials: "key", key: keyOf() }, { credentials: "metadata" }]) {
        const error = await failureOf(tokensOf(contextOf(config, url)).token(never));
        assert.equal(`${head} ${error.retryable}`, `${head} true`);
      }
      assert.equal(backend.accepted, 2);
    }
    const { backend, url } = await serving(() => {});
    await backend.close();
    const error = await failureOf(
      tokensOf(contextOf({ credentials: "key", key: keyOf() }, url)).token(never),
    );
    assert.equal(error.retryable, true);
    assert.match(error.message, /cannot be reached/);
  });

  it("are waited for within the call's deadline, and 10 s at most", async () => {
    const { backend, url } = await serving(() => {});
    const context = contextOf({ credentials: "key", key: keyOf() }, url);
    const tokens = tokensOf(context);
    assert.equal(
      (await failureOf(tokens.token({ signal: AbortSignal.timeout(20) }))).code,
      "PURSER_HANDLER_TIMEOUT",
    );
    const pending = failureOf(tokens.token(never));
    while (backend.connections === 0) await new Promise((resolve) => void setTimeout(resolve, 5));
    context.time.advance(10_000);
    assert.equal((await pending).code, "PURSER_HANDLER_TIMEOUT");
    const last = failureOf(tokens.token(never));
    tokens.close();
    assert.equal((await last).code, "PURSER_HANDLER_TIMEOUT");
    assert.equal((await failureOf(tokens.token(never))).message, "the handler is closed");
    assert.equal(context.time.scheduled, 0);
  });

  it("are renewed when a service refuses one before its time, but not a new one", async () => {
    const context = contextOf({ credentials: "key", key: keyOf() });
    const handler = stackdriver.build(context);
    closing.push(() => handler.close());
    const write = async (): Promise<unknown> => handler.logentry?.([logEntryInstance()], never);
    nowMs = context.clock.nowMs();
    await write();
    context.time.advance(60_000);
    running.standIn.tokens.revoke();
    assert.equal((await failureOf(write())).retryable, true);
    await write();
    assert.equal(running.standIn.tokens.issued, 2);
    running.standIn.tokens.revoke();
    const error = await failureOf(write());
    assert.equal(error.retryable, false);
    assert.match(error.message, /Cloud Logging answered UNAUTHENTICATED/);
    assert.equal(running.standIn.logging.entries.length, 2);
  });
});

// The metadata server answers nothing here, so that every call waits for a token.
describeAdapterContract(stackdriver, {
  backend: {
    config: ({ host, port }) => {
      const url = `http://${host}:${port}`;
      return {
        project: "demo",
        credentials: "metadata",
        endpoints: { monitoring: url, logging: url, trace: url, metadata: url },
        timeout: "300ms",
        closeTimeout: "300ms",
      };
    },
    kept: ["metric"],
  },
});
describeAdapterContract(stackdriver, {
  backend: {
    config: ({ host, port }) => {
      const url = `http://${host}:${port}`;
      return {
        project: "demo",
        credentials: "key",
        key: keyOf(),
        endpoints: { monitoring: url, logging: url, trace: url, token: url },
        timeout: "300ms",
        closeTimeout: "300ms",
      };
    },
    kept: ["metric"],
  },
});
