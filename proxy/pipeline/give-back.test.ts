// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import type { RequestFate } from "../../core/quota/quota-definition.ts";
import type { CheckResult } from "../policy/check-result.ts";
import {
  ALLOW,
  call,
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  type Rig,
  startProxy,
  startWith,
  until,
} from "../testing/harness.test.ts";
import { describeTransports } from "../testing/transports.test.ts";

describeTransports("charges of requests that went wrong", () => {
  afterEach(cleanUp);

  /** Sends one request, and returns the fates for which the proxy gives charges back. */
  async function fateAt({ port, policy }: Rig): Promise<{ status: number; fates: readonly RequestFate[] }> {
    const fates: RequestFate[] = [];
    policy.decide = () => ({
      ...ALLOW,
      settlement: { readsBody: false, settle: (fate) => void (fate !== undefined && fates.push(fate)) },
    });
    const { status } = await call(port);
    await until(() => policy.reports.length === 1);
    return { status, fates };
  }

  for (const [status, fates] of [
    [200, []],
    [404, []],
    [429, []],
    [500, ["failure"]],
    [503, ["failure"]],
  ] as const) {
    it(`stay or go back by the upstream's status ${status}`, async () => {
      const rig = await startWith((_, outgoing) => outgoing.writeHead(status).end());
      assert.deepEqual(await fateAt(rig), { status, fates });
    });
  }

  it("go back as unanswered when no endpoint listens, no endpoint exists, or the upstream hangs up", async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
    const { port } = free.address() as { readonly port: number };
    await new Promise((resolve) => free.close(resolve));
    for (const rig of [
      await startProxy(configOf({ clusters: [clusterOf([endpointAt(port)])] })),
      await startProxy(configOf({ clusters: [clusterOf([])] })),
      await startWith((incoming) => incoming.socket.destroy()),
      await startWith(() => undefined, { action: { timeoutMs: 50 } }),
    ]) {
      const { status, fates } = await fateAt(rig);
      assert.ok(status >= 500, `${status}`);
      assert.deepEqual(fates, ["unanswered"], `${status}`);
    }
  });

  it("go back as unanswered, once, when the client leaves while the policies are asked", async () => {
    const { port, policy } = await startWith(() => assert.fail("the request is not forwarded"));
    const fates: (RequestFate | undefined)[] = [];
    let decide: (result: CheckResult) => void = () => assert.fail("nothing is asked yet");
    policy.decide = () => new Promise((resolve) => (decide = resolve));
    const client = connect(port, "127.0.0.1");
    client.write("GET / HTTP/1.1\r\nhost: reviews.default\r\n\r\n");
    await until(() => policy.checks.length === 1);
    client.destroy();
    await until(() => policy.reports.length === 1);
    assert.equal(fates.length, 0);
    decide({ ...ALLOW, settlement: { readsBody: false, settle: (fate) => void fates.push(fate) } });
    await until(() => fates.length > 0);
    assert.deepEqual(fates, ["unanswered"]);
  });
});
