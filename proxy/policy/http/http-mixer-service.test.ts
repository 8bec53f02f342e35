// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { CheckReply, PolicyState } from "../../../api/mixer-service.ts";
import type { PurserError } from "../../../kernel/errors.ts";
import { createCollectingLogger } from "../../../plugins/sdk/testing/index.ts";
import {
  type Answer,
  garbage,
  halfAnAnswer,
  hang,
  json,
  realPorts,
  reset,
  ToyServer,
  until,
} from "../../control-plane/toy-server.test.ts";
import { isUnconfirmed } from "../unconfirmed.ts";
import { charge, decision, quota } from "../toy-mixer.test.ts";
import {
  createHttpMixerService,
  type HttpMixerService,
  type HttpMixerTimeouts,
} from "./http-mixer-service.ts";

const REPLY: CheckReply = { version: "v1", decision: decision(), quotas: [] };
const STATE: PolicyState = { version: "v1", proxies: 2, policies: [] };
/** A document with a field that this version does not know. */
const RULE_OF_LATER = {
  instances: [{ name: "i", template: "checknothing", weight: 1 }],
  actions: [{ handler: "h", instances: ["i"] }],
  since: "later",
};
const REQUEST = { attributes: { request: { path: "/" } }, deduplicationId: "a/1" };

describe("the mixer over HTTP", () => {
  const servers: ToyServer[] = [];
  const services: HttpMixerService[] = [];

  afterEach(async () => {
    await Promise.all(services.splice(0).map((service) => service.close()));
    await Promise.all(servers.splice(0).map((server) => server.kill()));
  });

  const startServer = async (answer: Answer): Promise<ToyServer> => {
    const server = new ToyServer(answer);
    servers.push(server);
    await server.start();
    return server;
  };
  const connect = (to: readonly ToyServer[], timeouts: Partial<HttpMixerTimeouts> = {}): HttpMixerService => {
    const service = createHttpMixerService({ urls: to.map(({ url }) => url), ...realPorts(), timeouts });
    services.push(service);
    return service;
  };
  const failureOf = async (call: unknown): Promise<PurserError> => {
    try {
      await call;
    } catch (error) {
      return error as PurserError;
    }
    return assert.fail("the call should have failed");
  };

  it("sends each call as documented and returns its reply", async () => {
    const outcome = {
      policy: "q",
      cell: "q{}",
      granted: 1,
      remaining: 2,
      resetMs: 3,
      retryAfterMs: 0,
      validForMs: 4,
      slot: 5,
    };
    const answers: Record<string, Answer> = {
      "/v1/check": json(REPLY),
      "/v1/quota": json({ kind: "granted", quotas: [outcome] }),
      "/v1/report": (_, response) => void response.writeHead(204).end(),
    };
    const server = await startServer((request, response) =>
      answers[request.url.pathname]?.(request, response),
    );
    const service = connect([server]);
    assert.deepEqual(await service.check(REQUEST), REPLY);
    const charges = [{ policy: "q", cell: "q{}", limit: 9, leaseMs: 0, amount: 1, bestEffort: false }];
    const request = { version: "v1", deduplicationId: "a/2", charges };
    assert.deepEqual(await service.allocate(request), { kind: "granted", quotas: [outcome] });
    await service.report({ bags: [{ a: 1 }] });
    assert.deepEqual(
      server.received.map(({ method, url, body }) => [method, url.pathname, body]),
      [
        ["POST", "/v1/check", REQUEST],
        ["POST", "/v1/quota", request],
        ["POST", "/v1/report", { bags: [{ a: 1 }] }],
      ],
    );
  });

  const misbehaviours: Record<string, Answer> = {
    hangs: hang,
    resets: reset,
    "answers garbage": garbage,
    "breaks off": halfAnAnswer,
    "answers other JSON": json({ version: 1 }),
    "answers without a charge's outcome": json({
      ...REPLY,
      decision: decision({ charges: [charge(quota())] }),
    }),
    "answers too much": (_, response) => void response.writeHead(200).end("x".repeat(2 << 20)),
    "answers what is not JSON": (_, response) => void response.writeHead(200).end("<html>"),
    "answers as a load balancer": (_, response) => void response.writeHead(502).end("bad gateway"),
  };
  for (const [what, answer] of Object.entries(misbehaviours)) {
    it(`fails as unavailable, in time and without a crash, when the mixer ${what}`, async () => {
      const service = connect([await startServer(answer)], { callMs: 150 });
      const sinceMs = performance.now();
      const error = await failureOf(service.check(REQUEST));
      assert.deepEqual([error.code, error.retryable], ["PURSER_MIXER_UNAVAILABLE", true]);
      assert.ok(performance.now() - sinceMs < 1_000);
    });

    it(`tries the next mixer when one ${what}, and then avoids the failed one for a while`, async () => {
      const [bad, good] = [await startServer(answer), await startServer(json(REPLY))];
      const service = connect([bad, good], { callMs: 150 });
      for (let count = 0; count < 6; count++) assert.deepEqual(await service.check(REQUEST), REPLY);
      assert.equal(bad.received.length, 1);
    });
  }

  it("rotates among mixers", async () => {
    const pair = [await startServer(json(REPLY)), await startServer(json(REPLY))];
    const service = connect(pair);
    for (let count = 0; count < 6; count++) await service.check(REQUEST);
    assert.deepEqual(
      pair.map(({ received }) => received.length),
      [3, 3],
    );
  });

  it("returns the mixer's own errors, and tries no other mixer after a final refusal", async () => {
    const refusal = {
      error: { code: "PURSER_REQUEST_INVALID", message: "attributes must be object", remedy: "" },
    };
    const pair = [await startServer(json(refusal, 400)), await startServer(json(REPLY))];
    const error = await failureOf(connect(pair).check(REQUEST));
    assert.deepEqual([error.code, error.retryable], ["PURSER_REQUEST_INVALID", false]);
    assert.match(error.message, /attributes must be object/);
    assert.equal(pair[1]?.received.length, 0);
  });

  it("retries at the same mixer when a connection breaks as the call goes out", async () => {
    let first = true;
    const server = await startServer((request, response) => {
      if (first) reset(request, response);
      else json(REPLY)(request, response);
      first = false;
    });
    assert.deepEqual(await connect([server]).check(REQUEST), REPLY);
  });

  describe("a report with an id, whose answer is missing", () => {
    const REPORT = { bags: [{ a: 1 }], deduplicationId: "r1" };
    const taken: Answer = (_, response) => void response.writeHead(204).end();
    const counts = (servers: readonly ToyServer[]) => servers.map(({ received }) => received.length);

    for (const [what, answer] of Object.entries({ hang, reset })) {
      it(`may be sent again, and goes to the same mixer only (${what})`, async () => {
        const pair = [await startServer(answer), await startServer(taken)];
        const [first, other] = pair as [ToyServer, ToyServer];
        const service = connect(pair, { reportMs: 150 });
        const error = await failureOf(service.report(REPORT));
        assert.deepEqual([error.retryable, isUnconfirmed(error)], [true, true]);
        // Other calls in between must not affect the choice.
        await service.report({ bags: [], deduplicationId: "other" });
        const draining = { error: { code: "PURSER_DRAINING", message: "going", remedy: "" } };
        first.answer = json(draining, 503);
        assert.equal((await failureOf(service.report(REPORT))).retryable, true);
        first.answer = taken;
        const before = counts(pair);
        await service.report(REPORT);
        assert.deepEqual(counts(pair), [(before[0] ?? 0) + 1, before[1]]);
        assert.deepEqual(
          other.received.map(({ body }) => (body as { deduplicationId: string }).deduplicationId),
          ["other"],
        );
      });
    }

    it("goes to another mixer once the one that may have it is gone", async () => {
      const pair = [await startServer(hang), await startServer(taken)];
      const service = connect(pair, { reportMs: 150 });
      await failureOf(service.report(REPORT));
      await pair[0]?.kill();
      await service.report(REPORT);
      assert.deepEqual(counts(pair), [1, 1]);
    });
  });

  it("never repeats a report that a mixer may have accepted, but retries a refused one elsewhere", async () => {
    const taken: Answer = (_, response) => void response.writeHead(204).end();
    const pair = [await startServer(reset), await startServer(taken)];
    const error = await failureOf(connect(pair).report({ bags: [] }));
    assert.equal(error.retryable, false);
    assert.equal(pair[1]?.received.length, 0);
    const draining = { error: { code: "PURSER_DRAINING", message: "going", remedy: "" } };
    await connect([await startServer(json(draining, 503)), pair[1] as ToyServer]).report({ bags: [] });
    assert.equal(pair[1]?.received.length, 1);
  });

  it("aborts a call with its signal", async () => {
    const server = await startServer(hang);
    const controller = new AbortController();
    const failed = failureOf(connect([server]).check(REQUEST, { signal: controller.signal }));
    await until(() => server.received.length === 1);
    controller.abort();
    assert.equal((await failed).code, "PURSER_MIXER_UNAVAILABLE");
    assert.equal(server.received.length, 1);
  });

  it("watches: delivers the state at once, each change, and the state within a second after a restart", async () => {
    let state = STATE;
    const held: (() => void)[] = [];
    const server = await startServer(({ url }, response) => {
      const send = () => json(state)({} as never, response);
      if (url.searchParams.get("version") === state.version) held.push(send);
      else send();
    });
    const seen: string[] = [];
    const stop = connect([server]).watch({ id: "edge~1" }, ({ version }) => void seen.push(version));
    await until(() => seen.length === 1 && held.length === 1);
    state = { ...STATE, version: "v2" };
    held.pop()?.();
    await until(() => seen.length === 2 && held.length === 1);
    await server.kill();
    state = { ...STATE, version: "v3" };
    await server.start();
    const sinceMs = performance.now();
    await until(() => seen.length === 3);
    assert.ok(performance.now() - sinceMs < 1_000);
    stop();
    assert.deepEqual(seen, ["v1", "v2", "v3"]);
    const [first] = server.received;
    assert.deepEqual(
      [...(first?.url.searchParams ?? [])],
      [
        ["node", "edge~1"],
        ["waitMs", "25000"],
      ],
    );
  });

  it("watches one mixer for as long as it answers, so that two with different states do not alternate", async () => {
    const holding =
      (version: string): Answer =>
      ({ url }, response) => {
        if (url.searchParams.get("version") !== version) json({ ...STATE, version })({} as never, response);
      };
    const pair = [await startServer(holding("old")), await startServer(holding("new"))];
    const seen: string[] = [];
    connect(pair).watch({ id: "edge" }, ({ version }) => void seen.push(version));
    await until(() => pair[0]?.received.length === 2);
    assert.deepEqual(seen, ["old"]);
    await pair[0]?.kill();
    await until(() => seen.length === 2);
    assert.deepEqual(seen, ["old", "new"]);
  });

  it("keeps its policies when it cannot parse the mixer's, logs why once, and keeps polling", async () => {
    const unreadable = { ...STATE, version: "v2", policies: [{ kind: "AccessPolicy", name: "a", spec: {} }] };
    let state: object = STATE;
    const server = await startServer((request, response) => json(state)(request, response));
    const logger = createCollectingLogger();
    const service = createHttpMixerService({ urls: [server.url], ...realPorts(), logger });
    services.push(service);
    const seen: string[] = [];
    service.watch({ id: "edge" }, ({ version }) => void seen.push(version));
    await until(() => seen.length > 0);
    state = unreadable;
    await until(() => logger.lines.length > 0);
    const before = server.received.length;
    await until(() => server.received.length > before);
    assert.ok(!seen.includes("v2"));
    assert.deepEqual(
      logger.lines.map(({ level, fields }) => [level, fields["code"]]),
      [["warn", "PURSER_MIXER_UNAVAILABLE"]],
    );
    assert.match(
      String(logger.lines[0]?.fields["error"]),
      /policies\[0\]\.spec must have the property action/,
    );
    state = { ...STATE, version: "v3", policies: [{ kind: "Rule", name: "r", spec: RULE_OF_LATER }] };
    await until(() => seen.includes("v3"));
  });

  it("does not spin when polls are not held, or bring garbage", async () => {
    const unheld: Answer = (_, response) => void response.writeHead(304).end();
    for (const answer of [json({}), unheld]) {
      const server = await startServer(answer);
      connect([server]).watch({ id: "edge" }, () => assert.fail("there is no news"));
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.ok(server.received.length <= 4, `${server.received.length} polls in 200 ms`);
    }
  });

  it("can be closed twice, aborts calls under way, and polls no more", async () => {
    const server = await startServer(hang);
    const service = connect([server]);
    service.watch({ id: "edge" }, () => {});
    const failed = failureOf(service.check(REQUEST));
    await until(() => server.received.length === 2);
    await service.close();
    await service.close();
    assert.equal((await failed).code, "PURSER_MIXER_UNAVAILABLE");
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(server.received.length, 2);
  });
});
