// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { canonicalBag } from "../../core/attributes/canonical-bag.ts";
import { Malformed } from "../../kernel/canonical/malformed.ts";
import { PATH_NORMALIZATIONS, type PathNormalization } from "../../kernel/canonical/path.ts";
import { headerBytesOf } from "../../kernel/canonical/header-text.ts";
import { isPurserError } from "../../kernel/errors.ts";
import { translate } from "../../pilot/translate/translate.ts";
import { readAuthRequest } from "../../mixer/servers/auth/auth-request.ts";
import { atOnce } from "../../kernel/maybe-promise.ts";
import { bagOfTrial } from "../../proxy/pipeline/trial-request.ts";
import { bagOfRequest } from "../../tools/explain/request-bag.ts";
import { trafficDocuments } from "../support/traffic-documents.ts";

/** A request as a client writes it; header values are text, not bytes. */
interface Written {
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

type Request = Readonly<Record<string, unknown>>;

const EDGE = { role: "edge", id: "edge", host: "127.0.0.1", port: 8080, trustedHops: 0 } as const;
const SERVICES = trafficDocuments(`
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

/** Attributes that do not depend on how the bag was made; of the headers, only the client's own. */
function comparable(bag: AttributeBag, written: Written): Request {
  const request = bag["request"] as Request;
  const headers = request["headers"] as Record<string, string>;
  const names = [...new Set(written.headers.map(([name]) => name.toLowerCase()))];
  const { method, host, port, path, url_path, query_params, repeated_query_params, repeated_headers } =
    request;
  return JSON.parse(
    JSON.stringify({
      method,
      host,
      port,
      path,
      url_path,
      query_params,
      repeated_query_params,
      repeated_headers,
      useragent: request["useragent"],
      headers: names.map((name) => headers[name]),
    }),
  ) as Request;
}

const flat = ({ headers }: Written) => headers.flatMap(([name, value]) => [name, headerBytesOf(value)]);

/** The target as clients of HTTP/1.1 send it: a server of the web may pass bytes beyond ASCII on, and the edge refuses them. */
function sentTarget({ target }: Written): string {
  return target.replace(/[^\0-\x7f]+/g, (run) => encodeURIComponent(run));
}

/** The bag that the edge's filters make of the request; undefined when the edge refuses it. */
function edge(written: Written, pathNormalization: PathNormalization): AttributeBag | undefined {
  const config = translate({ ...SERVICES, pathNormalization }, EDGE);
  const services = { clock: { nowMs: () => 0, monotonicMs: () => 0 }, random: () => 0, newId: () => "id" };
  const rawHeaders = ["Host", written.host, ...flat(written)];
  const target = sentTarget(written);
  const trial = atOnce(bagOfTrial(config, EDGE, { method: written.method, target, rawHeaders }, services));
  return "bag" in trial ? trial.bag : undefined;
}

function auth(written: Written, form: "nginx" | "forwarded" | "path", pathNormalization: PathNormalization) {
  const { method, host } = written;
  const target = headerBytesOf(written.target);
  const told = {
    nginx: ["Host", host, "X-Original-URI", target, "X-Original-Method", method],
    forwarded: ["X-Forwarded-Host", host, "X-Forwarded-Uri", target, "X-Forwarded-Method", method],
    path: ["Host", host],
  }[form];
  try {
    return readAuthRequest({
      method: form === "path" ? method : "GET",
      url: form === "path" ? `/auth${target}` : "/auth",
      rawHeaders: [...told, ...flat(written)],
      peerIp: "127.0.0.1",
      timeMs: 0,
      pathNormalization,
    }).bag;
  } catch (error) {
    assert.ok(isPurserError(error) && error.code === "PURSER_REQUEST_INVALID");
    return undefined;
  }
}

function explained(written: Written, pathNormalization: PathNormalization): AttributeBag | undefined {
  const request = {
    method: written.method,
    scheme: "http",
    target: sentTarget(written),
    rawHeaders: ["host", written.host, ...flat(written)],
  } as const;
  try {
    return atOnce(bagOfRequest(request, { ...SERVICES, pathNormalization }, 0));
  } catch (error) {
    assert.ok(isPurserError(error) && error.code === "PURSER_CLI_USAGE");
    return undefined;
  }
}

/** The bag of the request as a PolicyTest document writes it. */
function tested(written: Written, pathNormalization: PathNormalization): AttributeBag | undefined {
  const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of written.headers) (headers[name.toLowerCase()] ??= []).push(value);
  const bag = canonicalBag(
    {
      request: {
        method: written.method,
        host: written.host,
        path: written.target,
        headers: Object.fromEntries(
          Object.entries(headers).map(([name, values]) => [name, values.length > 1 ? values : values[0]]),
        ),
      },
    },
    pathNormalization,
  );
  return bag instanceof Malformed ? undefined : bag;
}

const pathPiece = fc.constantFrom(
  "/",
  "admin",
  "%61dmin",
  "ADMIN",
  "..",
  ".",
  "%2e",
  "\\",
  "%2F",
  "%5c",
  "//",
  "%%36",
  "%25",
  "%00",
  "%0d%0a",
  ";",
  "..;",
  "é",
  "Ł",
  "%C3%A9",
  "%c0%af",
  "{",
  "~",
  "#",
  "%7e",
  "x",
);
const queryPiece = fc.constantFrom(
  "role=user",
  "role=admin",
  "&",
  "a=%C3%A9",
  "a=é",
  "+",
  "%zz",
  "=",
  "role",
  "#",
  "/../",
);
const host = fc.constantFrom(
  "admin.example.com",
  "Admin.Example.COM",
  "admin.example.com:80",
  "admin.example.com:",
  "admin.example.com.",
  "ADMIN.example.com.:8080",
);
const badHost = fc.constantFrom(
  "admin.example.com:99999",
  "admin..example.com",
  "adm%69n.example.com",
  "a b",
  "x@admin.example.com",
);
const field = fc.tuple(
  fc.constantFrom("x-role", "X-Role", "x-user", "User-Agent", "accept"),
  fc.constantFrom("admin", "user", "José", "Łukasz", "", "a, b", "é"),
);
const request: fc.Arbitrary<Written> = fc
  .record({
    method: fc.constantFrom("GET", "DELETE", "POST"),
    host: fc.oneof({ arbitrary: host, weight: 5 }, { arbitrary: badHost, weight: 1 }),
    path: fc.array(pathPiece, { maxLength: 6 }),
    query: fc.array(queryPiece, { maxLength: 4 }),
    headers: fc.array(field, { maxLength: 5 }),
  })
  .map(({ path, query, ...rest }) => ({
    ...rest,
    target: `/${path.join("")}${query.length === 0 ? "" : `?${query.join("")}`}`,
  }));

const FUZZ_TIMEOUT_MS = 3_600_000;

describe("one request", function () {
  // The number of runs bounds the test, so a busy machine may take longer.
  this.timeout(FUZZ_TIMEOUT_MS);

  it("gives the same bag at the edge, at /auth in each form, in purser explain and in a PolicyTest", () => {
    fc.assert(
      fc.property(request, fc.constantFrom(...PATH_NORMALIZATIONS), (any, normalization) => {
        // Without normalization, a byte beyond ASCII is another path than its escape.
        const written = normalization === "NONE" ? { ...any, target: sentTarget(any) } : any;
        const expected = edge(written, normalization);
        const others = {
          nginx: auth(written, "nginx", normalization),
          forwarded: auth(written, "forwarded", normalization),
          path: auth(written, "path", normalization),
          explain: explained(written, normalization),
        };
        for (const [who, bag] of Object.entries(others)) {
          assert.equal(bag === undefined, expected === undefined, `${who}: refused or not`);
          if (bag === undefined || expected === undefined) continue;
          assert.deepEqual(comparable(bag, written), comparable(expected, written), who);
        }
        const test = tested(written, normalization);
        assert.equal(test === undefined, expected === undefined, "test: refused or not");
        if (test === undefined || expected === undefined) return;
        const left = comparable(test, written);
        const right = comparable(expected, written);
        assert.deepEqual(left, right, "test");
      }),
      { numRuns: Number(process.env["FUZZ_RUNS"] ?? 400) },
    );
  });

  it("has one canonical host for all spellings of the host", () => {
    fc.assert(
      fc.property(host, (spelling) => {
        const bag = edge({ method: "GET", host: spelling, target: "/", headers: [] }, "MERGE_SLASHES");
        assert.ok(bag !== undefined);
        assert.equal((bag["request"] as Request)["host"], "admin.example.com");
        assert.deepEqual((bag["destination"] as Request)["service"], {
          name: "admin",
          namespace: "default",
          host: "admin.example.com",
        });
      }),
    );
  });
});
