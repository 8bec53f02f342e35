// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createCollectingLogger, createSeededRandom } from "../../../plugins/sdk/testing/index.ts";
import { concurrencyLimit } from "../../concurrency-limit.ts";
import { BodyReader } from "./body-reader.ts";
import { CallTurn } from "./call-turn.ts";
import { type JsonCall, JsonExchange } from "./json-exchange.ts";

/** The requests of one write arrive in one turn of the event loop. */
const requests = (...bodies: readonly string[]): string =>
  bodies
    .map((body) => `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    .join("");

const circular = (): object => {
  const self: { self?: object } = {};
  self.self = self;
  return self;
};

describe("an exchange", () => {
  const BODY_LIMIT_BYTES = 100_000;
  let server: Server;
  let handle: (request: IncomingMessage, response: ServerResponse) => void;
  let log: string[];
  let finishLate: (() => void)[];

  const call: JsonCall = (body) => {
    const text = String(body);
    log.push(`decide ${text.slice(0, 20)}`);
    if (text === "throws") throw new Error("secret detail");
    if (text === "rejects") return Promise.reject(new Error("secret detail"));
    if (text === "circular") return circular();
    if (text === "nothing") return undefined;
    const name = `late ${finishLate.length + 1}`;
    if (text === "late") return new Promise((resolve) => finishLate.push(() => resolve(name)));
    return { toJSON: () => (log.push(`encode ${text}`), text) };
  };

  before(async () => {
    server = createServer((request, response) => handle(request, response)).listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  beforeEach(() => {
    log = [];
    finishLate = [];
    const tools = {
      surface: {
        name: "mixer",
        guard: () => undefined,
        random: createSeededRandom(),
        logger: createCollectingLogger(),
        isDraining: () => false,
      },
      bodies: new BodyReader(BODY_LIMIT_BYTES),
      limit: concurrencyLimit(2),
      turn: new CallTurn(),
    };
    begin = (request, response) => exchange(response).begin(request);
    exchange = (response) => new JsonExchange(tools, response, "/", call);
    handle = begin;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  let exchange: (response: ServerResponse) => JsonExchange;
  let begin: typeof handle;

  const open = async (): Promise<Socket> => {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    await once(socket, "connect");
    return socket;
  };

  /** Statuses and bodies in the order of arrival, as soon as there are `count`. */
  const answersOn = async (
    socket: Socket,
    count: number,
  ): Promise<readonly (readonly [number, string])[]> => {
    let text = "";
    for await (const piece of socket) {
      text += String(piece);
      const answers = parse(text);
      if (answers.length === count) return answers;
    }
    throw new Error(`the connection ended after: ${text}`);
  };

  const parse = (text: string): (readonly [number, string])[] => {
    const [answer, status] = /^HTTP\/1\.1 (\d+) [^]*?\r\n\r\n/.exec(text) ?? [];
    if (answer === undefined) return [];
    const end = answer.length + Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? 0);
    return text.length < end
      ? []
      : [[Number(status), text.slice(answer.length, end)], ...parse(text.slice(end))];
  };

  const statuses = (answers: readonly (readonly [number, string])[]): readonly number[] =>
    answers.map(([status]) => status);

  it("shares the stages of its turn, and replies come in the order of the requests", async () => {
    const socket = await open();
    socket.write(requests('"a"', '"b"', '"c"'));
    const answers = await answersOn(socket, 3);
    assert.deepEqual(answers, [
      [200, '"a"'],
      [200, '"b"'],
      [200, '"c"'],
    ]);
    assert.deepEqual(log, ["decide a", "decide b", "decide c", "encode a", "encode b", "encode c"]);
  });

  it("keeps the order when an earlier reply is known later, and refuses beyond the limit", async () => {
    const socket = await open();
    socket.write(requests('"late"', '"a"', '"late"', '"b"'));
    const answers = answersOn(socket, 4);
    while (finishLate.length < 2) await new Promise((resolve) => setImmediate(resolve));
    for (const finish of finishLate.toReversed()) finish();
    const [late, between, later, refused] = await answers;
    assert.deepEqual(
      [late, between, later],
      [
        [200, '"late 1"'],
        [200, '"a"'],
        [200, '"late 2"'],
      ],
    );
    assert.match(String(refused), /^503,.*PURSER_OVERLOADED/);
    assert.ok(!log.includes("decide b"));
  });

  it("fails by itself: the others of its turn get their replies", async () => {
    const socket = await open();
    socket.write(requests('"a"', '"throws"', '"rejects"', '"circular"', "{", '"nothing"', '"b"'));
    const answers = await answersOn(socket, 7);
    assert.deepEqual(statuses(answers), [200, 500, 500, 500, 400, 204, 200]);
    assert.deepEqual([answers[0]?.[1], answers[6]?.[1]], ['"a"', '"b"']);
    assert.ok(!String(answers).includes("secret detail"));
  });

  it("is refused for its body, after the replies of its turn, and ends the connection", async () => {
    for (const [bytes, status] of [
      [Buffer.from(requests(`"${"x".repeat(BODY_LIMIT_BYTES)}"`)), 413],
      [Buffer.from(requests('"\u00ff"'), "latin1"), 400],
    ] as const) {
      const socket = await open();
      socket.write(Buffer.concat([Buffer.from(requests('"a"', '"b"')), bytes]));
      assert.deepEqual(statuses(await answersOn(socket, 3)), [200, 200, status]);
      if (!socket.closed) await once(socket, "close");
      assert.ok(!log.some((line) => line.includes("x")));
    }
  });

  it("decides nothing for a client that left between arrival and turn", async () => {
    const [leaving, staying] = [await open(), await open()];
    let arrived = 0;
    handle = (request, response) => {
      begin(request, response);
      request.once("end", () => {
        arrived += 1;
        if (request.socket.remotePort === leaving.localPort) request.socket.destroy();
      });
    };
    leaving.on("error", () => {});
    leaving.write(requests('"left"', '"pipelined"'));
    staying.write(requests('"stayed"'));
    assert.deepEqual(await answersOn(staying, 1), [[200, '"stayed"']]);
    if (!leaving.closed) await once(leaving, "close");
    assert.ok(arrived >= 2);
    assert.deepEqual(log, ["decide stayed", "encode stayed"]);
  });

  it("with a long body is decided before the turn", async () => {
    for (const [length, isAtOnce] of [
      [16_384, false],
      [16_385, true],
    ] as const) {
      let decided: boolean | undefined;
      handle = (_, response) => {
        log = [];
        exchange(response).received(JSON.stringify("y".repeat(length - 2)));
        decided = log.length > 0;
      };
      const socket = await open();
      socket.write(requests(""));
      assert.deepEqual(statuses(await answersOn(socket, 1)), [200]);
      assert.equal(decided, isAtOnce, `${length}`);
    }
  });
});
