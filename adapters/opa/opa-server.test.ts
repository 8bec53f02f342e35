// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AdapterHandler, CheckAnswer, PurserError } from "../../plugins/sdk/index.ts";
import { createRealTime, createTestContext, type TestContext } from "../../plugins/sdk/testing/index.ts";
import { eventually } from "../../test/support/eventually.ts";
import { type OpaServer, startOpa } from "../../test/support/opa-server.ts";
import { opa } from "./index.ts";

const POLICY = `package authz

import rego.v1

default allow := false

allow if input.subject.user == "ada"

decision := {"allow": true, "headers": {"x-tier": input.subject.properties.tier}, "valid_duration": "30s"} if {
  allow
}

decision := {"allow": false, "reason": sprintf("%s may not %s %s", [input.subject.user, input.action.method, input.action.path]), "http_status": 403} if {
  input.subject.user == "Zoë 🛳️"
}

# Two values for one rule: OPA fails with eval_conflict_error.
conflict := 1 if input.subject.user == "eve"
conflict := 2 if input.action.method == "GET"

builtin_error := x if x := to_number(input.subject.user)
`;

/** The host's deadline for a handler on the way of a request. */
const TIMEOUT_MS = 500;

/** Deadline of calls whose time does not matter: the first loads the client, on a busy machine. */
const PATIENT_MS = 10_000;

describe("the adapter opa, with an OPA server", function () {
  this.timeout(30_000);
  let server: OpaServer;
  const open: (readonly [AdapterHandler, TestContext<unknown, ReturnType<typeof createRealTime>>])[] = [];

  before(async function () {
    server = await startOpa(this, POLICY, ["--set=decision_logs.console=true"]);
  });
  afterEach(async () => {
    for (const [handler, context] of open.splice(0)) {
      await handler.close();
      await context.http.close();
      assert.equal(context.time.scheduled, 0);
    }
  });
  after(() => server?.stop());

  const build = (path: string, config = {}) => {
    const context = createTestContext(opa, { url: server.url, path, ...config }, { time: createRealTime() });
    const handler = opa.build(context as Parameters<typeof opa.build>[0]);
    open.push([handler, context]);
    const ask = async (user: string, timeoutMs = PATIENT_MS): Promise<CheckAnswer> => {
      const deadline = new AbortController();
      const cancel = context.scheduler.after(timeoutMs, () => deadline.abort());
      const subject = { user, properties: { tier: "gold" } };
      const action = { service: "reviews", method: "GET", path: "/reviews/0", properties: {} };
      try {
        return (await handler.authorization?.({ name: "a", subject, action }, deadline)) as CheckAnswer;
      } finally {
        cancel();
      }
    };
    const failure = (user: string, timeoutMs = PATIENT_MS): Promise<PurserError> =>
      ask(user, timeoutMs).then(
        (answer) => assert.fail(`it answered ${JSON.stringify(answer)}`),
        (error: unknown) => error as PurserError,
      );
    return { context, handler, ask, failure };
  };

  it("allows and refuses by a boolean rule", async () => {
    const { ask } = build("authz/allow");
    assert.equal((await ask("ada")).status.code, "OK");
    assert.equal((await ask("eve")).status.code, "PERMISSION_DENIED");
  });

  it("takes headers, reason, status and validity of an object rule", async () => {
    const { ask, context } = build("authz/decision");
    assert.deepEqual(await ask("ada"), {
      status: { code: "OK", message: "" },
      validDurationMs: 30_000,
      validUseCount: 10_000,
      headers: { request: [{ operation: "set", name: "x-tier", value: "gold" }] },
    });
    const message = "Zoë 🛳️ may not GET /reviews/0";
    const refused = await ask("Zoë 🛳️");
    assert.deepEqual(refused.status, { code: "PERMISSION_DENIED", message });
    assert.deepEqual(refused.directResponse, { httpStatus: 403, headers: {}, body: message });
    const ids = context.logger.lines.map(({ fields }) => fields["decisionId"]);
    assert.equal(ids.length, 2);
    for (const id of ids) assert.match(String(id), /^[0-9a-f-]{36}$/);
  });

  it("refuses when no rule applies, and for a path that names none", async () => {
    for (const path of ["authz/decision", "authz/misspelt", "nowhere"]) {
      const { ask } = build(path);
      assert.deepEqual((await ask("bob")).status, {
        code: "PERMISSION_DENIED",
        message: "refused by policy",
      });
    }
    assert.match(
      (await build("nowhere", { undefined: "error" }).failure("bob")).message,
      /data\.nowhere is undefined/,
    );
  });

  it("takes a whole package for its rule allow, and fails when any rule of it does", async () => {
    const { ask, failure } = build("authz");
    assert.equal((await ask("ada")).status.code, "OK");
    assert.match((await failure("eve")).message, /the server answered 500/);
  });

  it("fails when the policy fails, as often as it does, and calls on", async () => {
    const { failure, ask } = build("authz/conflict");
    for (let call = 0; call < 8; call++) {
      const { code, retryable, message } = await failure("eve");
      assert.equal(`${code} ${retryable}`, "PURSER_HANDLER_FAILED true");
      assert.match(message, /the server answered 500: .*eval_conflict_error/s);
    }
    // No conflict, but the value 2 is no decision.
    assert.match((await failure("bob")).message, /the result is a number/);
    const builtin = build("authz/builtin_error");
    assert.equal(
      (await builtin.ask("bob")).status.code,
      "PERMISSION_DENIED",
      "undefined outside strict mode",
    );
    await assert.rejects(ask("eve"));
  });

  it("fails within the deadline while OPA hangs or is dead, and goes on when it is back", async () => {
    const { ask, failure, handler } = build("authz/allow");
    assert.equal((await ask("ada")).status.code, "OK");
    assert.equal(await handler.healthy?.(), true);

    server.pause();
    const startMs = performance.now();
    const hung = await Promise.all(Array.from({ length: 50 }, () => failure("ada", TIMEOUT_MS)));
    assert.ok(performance.now() - startMs < TIMEOUT_MS + 1_000);
    for (const { code, retryable } of hung) {
      assert.equal(retryable, true);
      assert.ok(["PURSER_HANDLER_TIMEOUT", "PURSER_HANDLER_FAILED"].includes(code), code);
    }
    server.resume();
    await eventually(async () => assert.equal((await ask("ada")).status.code, "OK"));

    const underWay = Array.from({ length: 200 }, () => ask("ada").catch((error: unknown) => error));
    await server.kill();
    for (const outcome of await Promise.all(underWay))
      if (outcome instanceof Error) assert.equal((outcome as PurserError).retryable, true, outcome.message);
    for (let call = 0; call < 6; call++) assert.equal((await failure("ada")).retryable, true);
    assert.match((await failure("ada")).message, /is not called after several failures/);
    assert.equal(await handler.healthy?.(), false);

    await server.restart();
    await eventually(async () => assert.equal((await ask("ada")).status.code, "OK"));
  });
});
