// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { type ClientHttp2Session, connect } from "node:http2";
import { promisify } from "node:util";

import {
  cleanUp,
  groupOf,
  later,
  onCleanup,
  type Rig,
  startWith,
  until,
} from "../../proxy/testing/harness.test.ts";
import { requireService } from "../support/services.ts";
import { ACK, frame, RawHttp2Client, request, TYPE } from "./raw-client.ts";

/** Longer than every test: only an acknowledged PING ends a connection in time. */
const GRACE_MS = 60_000;
const DRAIN_MS = 120_000;
/** Within it, a drain ends whose clients have acknowledged the PING. */
const SOON_MS = 5_000;
const LAST_STREAM_ID = 2 ** 31 - 1;
/** Requests under way on each connection of a loop. */
const WIDTH = 8;

/** A proxy in front of an upstream that answers after `answerMs`. */
function start(drainGraceMs = GRACE_MS, answerMs = 0): Promise<Rig> {
  return startWith((_incoming, outgoing) => void setTimeout(() => outgoing.end("done"), answerMs), {
    proxy: { limits: { drainGraceMs } },
  });
}

async function readyClient(port: number): Promise<RawHttp2Client> {
  const client = new RawHttp2Client(port);
  onCleanup(() => void client.socket.destroy());
  client.send(frame(TYPE.SETTINGS, ACK, 0));
  await until(() => client.count(TYPE.SETTINGS, ACK) === 1);
  return client;
}

/** The last stream id of each GOAWAY that a client got. */
function lastIdsOf({ frames }: RawHttp2Client): readonly number[] {
  return frames.filter(({ type }) => type === TYPE.GOAWAY).map(({ payload }) => payload.readUInt32BE(0));
}

/** The acknowledgement of the PING that follows the first GOAWAY. */
async function endPingAck(client: RawHttp2Client): Promise<Buffer> {
  await until(() => client.count(TYPE.PING) === 1);
  const types = client.frames.map(({ type }) => type);
  assert.ok(types.indexOf(TYPE.GOAWAY) < types.indexOf(TYPE.PING), "the PING is behind the GOAWAY");
  const ping = client.frames.find(({ type }) => type === TYPE.PING);
  return frame(TYPE.PING, ACK, 0, ping?.payload);
}

describe("a drain of connections of HTTP/2", () => {
  afterEach(cleanUp);

  it("closes an idle connection once its client has read the first GOAWAY", async () => {
    const { port, proxy } = await start();
    const client = await readyClient(port);
    const drained = proxy.drain(DRAIN_MS);
    const ack = await endPingAck(client);
    assert.deepEqual(lastIdsOf(client), [LAST_STREAM_ID]);
    client.send(ack);
    await drained;
    await until(() => client.isClosed);
    assert.deepEqual(lastIdsOf(client), [LAST_STREAM_ID, 0]);
  });

  it("serves the requests that were on their way, and refuses those after the last GOAWAY", async () => {
    const { port, proxy } = await start(GRACE_MS, 100);
    const client = await readyClient(port);
    const drained = proxy.drain(DRAIN_MS);
    const ack = await endPingAck(client);
    client.send(request(1), request(3), ack, request(5));
    await until(() => client.isAnswered(1) && client.isAnswered(3));
    assert.deepEqual(lastIdsOf(client), [LAST_STREAM_ID, 3]);
    assert.equal(client.reactionOf(5), "RST_STREAM REFUSED_STREAM");
    await drained;
  });

  it("waits for the grace alone when the client does not answer, or answers another PING", async () => {
    const { port, proxy } = await start(300);
    const client = await readyClient(port);
    const startMs = performance.now();
    const drained = proxy.drain(DRAIN_MS);
    await endPingAck(client);
    client.send(frame(TYPE.PING, ACK, 0, Buffer.from("another!")));
    await drained;
    assert.ok(performance.now() - startMs > 250);
    assert.deepEqual(lastIdsOf(client), [LAST_STREAM_ID, 0]);
  });

  it("takes an acknowledgement of a PING that it did not send for nothing", async () => {
    const { port } = await start();
    const client = await readyClient(port);
    client.send(frame(TYPE.PING, ACK, 0, Buffer.from("purserEN")), request(1));
    await until(() => client.isAnswered(1));
    assert.deepEqual(lastIdsOf(client), []);
  });

  it("loses no request of clients of node:http2 that send without a pause", async () => {
    const { port, proxy, policy } = await start(GRACE_MS, 3);
    const loops = Array.from({ length: 6 }, () => new ClientLoop(port));
    await until(() => loops.every(({ answered }) => answered > 100));
    const startMs = performance.now();
    await proxy.drain(DRAIN_MS);
    assert.ok(performance.now() - startMs < SOON_MS);
    await until(() => loops.every(({ isClosed }) => isClosed));
    assert.deepEqual(
      loops.flatMap(({ failures }) => failures),
      [],
    );
    const answered = loops.reduce((sum, loop) => sum + loop.answered, 0);
    await until(() => policy.reports.length === answered);
  });

  it("cuts no request of h2load", async function () {
    this.timeout(60_000);
    const h2load = requireService(this, "h2load");
    const { port, proxy, policy } = await start(GRACE_MS, 3);
    const args = ["-n", "1000000", "-c", "8", "-m", "16", "-t", "1", `http://127.0.0.1:${port}/`];
    const loaded = promisify(execFile)(h2load, args, { timeout: 30_000 });
    await until(() => policy.reports.length > 1_000);
    const startMs = performance.now();
    await proxy.drain(DRAIN_MS);
    assert.ok(performance.now() - startMs < SOON_MS);
    const { stdout } = await loaded;
    const [, succeeded] = /(\d+) succeeded/.exec(stdout) ?? [];
    for (const report of policy.reports) assert.equal(groupOf([report], "response")["flags"], "-");
    assert.equal(policy.reports.length, Number(succeeded), stdout);
  });
});

/** A client of node:http2 that keeps `WIDTH` requests under way until it is told of the connection's end. */
class ClientLoop {
  answered = 0;
  isClosed = false;
  readonly failures: string[] = [];
  readonly #session: ClientHttp2Session;

  constructor(port: number) {
    this.#session = connect(`http://127.0.0.1:${port}`);
    this.#session.on("error", (error) => this.failures.push(String(error)));
    this.#session.on("close", () => (this.isClosed = true));
    onCleanup(() => this.#session.destroy());
    for (let index = 0; index < WIDTH; index++) void this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#session.closed) {
      const stream = this.#session.request({ ":path": "/" });
      const outcome = await new Promise<string>((resolve) => {
        let status = "";
        stream.on("response", (headers) => (status = String(headers[":status"])));
        stream.on("error", (error) => resolve(String(error)));
        stream.on("close", () => resolve(status));
        stream.resume();
      });
      if (outcome === "200") this.answered++;
      // Node gives this error to a request that it did not send, since the GOAWAY had come.
      else if (!outcome.includes("REFUSED_STREAM")) this.failures.push(outcome);
      await later(1);
    }
  }
}
