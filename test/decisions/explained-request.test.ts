// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { connect } from "node:net";
import fc from "fast-check";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { headerBytesOf } from "../../kernel/canonical/header-text.ts";
import { isPurserError } from "../../kernel/errors.ts";
import { translate } from "../../pilot/translate/translate.ts";
import { ALLOW, cleanUp, type Rig, startProxy } from "../../proxy/testing/harness.test.ts";
import { bagOfRequest, parseWrittenRequest, type WrittenRequest } from "../../tools/explain/request-bag.ts";
import { trafficDocuments } from "../support/traffic-documents.ts";

const DOCUMENTS = trafficDocuments(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: admin }
spec:
  hosts: [admin.example.com]
  location: MESH_INTERNAL
  ports: [{ number: 80, name: http, protocol: HTTP }]
  resolution: STATIC
  endpoints: [{ address: 127.0.0.1 }]
`);

type Group = Readonly<Record<string, unknown>>;

/** Fields of each request that come of its time, connection or a random number. */
const OWN_FIELDS = /^(x-request-id|traceparent|x-b3-.*|b3)$/;

/** The bag without what differs between any two requests. */
function comparable(bag: AttributeBag): Group {
  const { source, request, connection, context, ...rest } = JSON.parse(JSON.stringify(bag)) as Record<
    string,
    Group
  >;
  const { id: _id, time: _time, trace_id, span_id, ...stable } = request as Group;
  const fields = Object.entries(stable["headers"] as Group).filter(([name]) => !OWN_FIELDS.test(name));
  const { reporter: _reporter, time: _contextTime, ...ofContext } = context as Group;
  return {
    ...rest,
    source: { ...(source as Group), port: typeof source?.["port"] },
    request: { ...stable, headers: Object.fromEntries(fields), trace: [typeof trace_id, typeof span_id] },
    connection: { ...(connection as Group), id: typeof connection?.["id"] },
    context: ofContext,
  };
}

/** The bag that the proxy asks about, or the status of its answer without a check. */
type Seen = { readonly bag: Group } | { readonly status: number };

async function seenByProxy(rig: Rig, { method, target, rawHeaders }: WrittenRequest): Promise<Seen> {
  const { checks } = rig.policy;
  checks.length = 0;
  const fields = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1] as string}\r\n`] : [],
  );
  const status = await statusOf(rig.port, `${method} ${target} HTTP/1.1\r\n${fields.join("")}\r\n`);
  assert.ok(checks.length <= 1);
  return checks[0] === undefined ? { status } : { bag: comparable(checks[0]) };
}

/** The status of the response to the bytes. */
function statusOf(port: number, bytes: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.setTimeout(10_000, () => socket.destroy(new Error("no response came")));
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      if (!received.includes("\r\n")) return;
      resolve(Number(received.split(" ")[1]));
      socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`closed after ${JSON.stringify(received)}`)));
    socket.write(bytes, "latin1");
  });
}

async function explained(request: WrittenRequest): Promise<Seen> {
  try {
    return { bag: comparable(await bagOfRequest(request, DOCUMENTS, 0)) };
  } catch (error) {
    assert.ok(isPurserError(error) && error.code === "PURSER_CLI_USAGE", String(error));
    const [, status] = /^an edge answers this request with (\d+) /.exec(error.message) ?? [];
    return { status: Number(status) };
  }
}

const method = fc.constantFrom(
  "GET",
  "GET",
  "get",
  "Delete",
  "POST",
  "OPTIONS",
  "CONNECT",
  "M-SEARCH",
  "G@T",
);
const host = fc.constantFrom(
  "admin.example.com",
  "Admin.EXAMPLE.com",
  "admin.example.com:80",
  "admin.example.com:8080",
  "admin.example.com.",
  "admin.example.com.:80",
  "admin.example.com:",
  "other.example.com",
  "127.0.0.1",
  "[::1]:80",
  "adm%69n.example.com",
  "a b",
  "x@admin.example.com",
  "admin..example.com",
  "\xff",
  "",
);
const piece = fc.constantFrom(
  "/",
  "admin",
  "%61dmin",
  "..",
  ".",
  "%2e",
  "\\",
  "%2F",
  "%5c",
  "//",
  "%25",
  "%00",
  "%0d",
  ";",
  "..;",
  "\xc3\xa9",
  "\xe9",
  "%C3%A9",
  "%c0%af",
  "#",
  "?",
  "=",
  "&",
  "+",
  "%zz",
  "a=1",
  "a=2",
  "'",
  '"',
  "|",
);
const target = fc.oneof(
  { weight: 6, arbitrary: fc.array(piece, { maxLength: 7 }).map((pieces) => `/${pieces.join("")}`) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom("http", "HTTP", "https"), host, fc.array(piece, { maxLength: 3 }))
      .map(([scheme, authority, pieces]) => `${scheme}://${authority}/${pieces.join("")}`),
  },
  { weight: 1, arbitrary: fc.constantFrom("*", "admin", "http:///x", "http://admin.example.com?a=1") },
);
const value = fc.constantFrom(
  "admin",
  "user",
  "",
  "a, b",
  "a=1; b=2",
  "Jos\xc3\xa9",
  "\xe9\xff",
  "in\tside",
  " spaced ",
  "\x7f",
  "\0",
);
const field = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(
      fc.constantFrom("x-role", "X-Role", "X-User", "cookie", "Cookie", "accept", "user-agent", "referer"),
      value,
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom<[string, string]>(
      ...([
        ["Host", "admin.example.com"],
        ["connection", "x-role, close"],
        ["Connection", "upgrade"],
        ["upgrade", "websocket"],
        ["upgrade", "other"],
        ["te", "trailers"],
        ["transfer-encoding", "chunked"],
        ["transfer-encoding", "gzip"],
        ["content-length", "0"],
        ["content-length", "5"],
        ["content-length", "+5"],
        ["expect", "100-continue"],
        ["expect", "more"],
        ["x_role", "admin"],
        ["x-forwarded-for", "203.0.113.9, 198.51.100.7"],
        ["x-forwarded-proto", "https"],
        ["x-forwarded-host", "other"],
        ["x-envoy-external-address", "203.0.113.9"],
        ["x-purser-explain", "a key that is long enough"],
        ["x-request-id", "mine"],
        ["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
        ["via", "1.1 other"],
        ["content-type", "application/grpc-web+proto"],
        ["content-type", "application/grpc"],
        ["keep-alive", "timeout=5"],
        ["proxy-authorization", "Basic YTpi"],
        ["x role", "admin"],
        ["x-long", "a".repeat(70_000)],
      ] as [string, string][]),
    ),
  },
);
const request: fc.Arbitrary<WrittenRequest> = fc.record({
  method,
  scheme: fc.constant("http" as const),
  target,
  rawHeaders: fc
    .tuple(host, fc.array(field, { maxLength: 6 }), fc.boolean())
    .map(([name, fields, hostFirst]) =>
      (hostFirst ? [["Host", name] as const, ...fields] : [...fields, ["host", name] as const]).flat(),
    ),
});

const FUZZ_TIMEOUT_MS = 3_600_000;

describe("a request that is explained", function () {
  // The number of runs bounds the test, so a busy machine may take longer.
  this.timeout(FUZZ_TIMEOUT_MS);

  let rig: Rig;

  before(async () => {
    const node = { role: "edge", id: "edge", host: "127.0.0.1", port: 0, trustedHops: 0 } as const;
    rig = await startProxy(translate(DOCUMENTS, node), { node });
    rig.policy.decide = () => ({
      ...ALLOW,
      outcome: {
        kind: "deny",
        status: { code: "PERMISSION_DENIED", message: "checked" },
        decidedBy: { kind: "AccessPolicy", name: "all" },
      },
    });
  });
  after(cleanUp);

  it("has the attributes that a proxy asks about for the same bytes, or the proxy's answer", async () => {
    let bags = 0;
    await fc.assert(
      fc.asyncProperty(request, async (written) => {
        const seen = await seenByProxy(rig, written);
        if ("bag" in seen) bags++;
        const own = await explained(written);
        // A call of gRPC gets the refusal as a status of gRPC, in a response with 200.
        if ("status" in seen && seen.status === 200) assert.ok("status" in own && own.status >= 400);
        else assert.deepEqual(own, seen);
      }),
      { numRuns: Number(process.env["FUZZ_RUNS"] ?? 400) },
    );
    assert.ok(bags > 10, `only ${bags} requests were asked about`);
  });

  it("is read from the command line as curl sends it", async () => {
    const cases: readonly [string, readonly string[], string, readonly string[]][] = [
      ["get http://Admin.example.com.:80/a/../b?é=1", ["X-Role: José", "x-role;"], "/a/../b?é=1", []],
      ["GET http://ignored", ["hOST: admin.example.com", "x-a: 1 ", "x-b:"], "/", []],
      ["GET http://ignored/", ["Host:"], "/", []],
      ["GET http://admin.example.com?x=1", ["Cookie: a=1", "cookie: b=2"], "/?x=1", []],
    ];
    for (const [line, headers, path] of cases) {
      const written = parseWrittenRequest(line, headers);
      assert.equal(written.target, headerBytesOf(path));
      assert.deepEqual(await explained(written), await seenByProxy(rig, written), line);
    }
    const injected = parseWrittenRequest("GET http://admin.example.com/", ["x-a: 1\r\nx-role: admin"]);
    assert.deepEqual(await explained(injected), { status: 400 });
  });
});
