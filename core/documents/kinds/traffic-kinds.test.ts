// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { formatDiagnostic } from "../../../kernel/diagnostic.ts";
import { parseDocuments } from "../parse-documents.ts";

/** The faults of a document of `kind` with this spec (in JSON, which is YAML). */
function faultsOf(kind: string, spec: unknown, apiVersion = "networking.istio.io/v1"): readonly string[] {
  const text = JSON.stringify({ apiVersion, kind, metadata: { name: "x" }, spec });
  return parseDocuments({ path: "x", text }).diagnostics.map((diagnostic) =>
    formatDiagnostic(diagnostic).replace(/^x:\d+:\d+: error: /, ""),
  );
}

const PORT = { number: 80, name: "http", protocol: "HTTP" };
const ENTRY = { hosts: ["a"], ports: [PORT], resolution: "DNS" };
const TO_A = { destination: { host: "a" } };
const http = (...routes: object[]) => ({ hosts: ["a"], http: routes });

describe("Istio's routing kinds", () => {
  it("accept Bookinfo's own gateway, routes and subsets unchanged", () => {
    const gateway = { selector: { istio: "ingressgateway" }, servers: [{ port: PORT, hosts: ["*"] }] };
    assert.deepEqual(faultsOf("Gateway", gateway), []);
    assert.deepEqual(faultsOf("Gateway", gateway, "networking.istio.io/v1alpha3"), []);
    const uris = [{ exact: "/productpage" }, { prefix: "/static" }, { exact: "/login" }];
    const bookinfo = {
      hosts: ["*"],
      gateways: ["bookinfo-gateway"],
      http: [
        {
          match: uris.map((uri) => ({ uri })),
          route: [{ destination: { host: "productpage", port: { number: 9080 } } }],
        },
      ],
    };
    assert.deepEqual(faultsOf("VirtualService", bookinfo, "networking.istio.io/v1beta1"), []);
    const testers = [
      {
        match: [{ headers: { "end-user": { exact: "jason" } } }],
        fault: { abort: { percentage: { value: 100 }, httpStatus: 500 } },
        route: [{ destination: { host: "ratings", subset: "v1" } }],
      },
      { route: [{ destination: { host: "ratings", subset: "v1" } }] },
    ];
    assert.deepEqual(faultsOf("VirtualService", { hosts: ["ratings"], http: testers }), []);
    const subsets = [{ name: "v1", labels: { version: "v1" } }, { name: "v2-mysql" }];
    assert.deepEqual(faultsOf("DestinationRule", { host: "ratings", subsets }), []);
  });

  it("refuse each unsupported field at its location", () => {
    const [field, kind] = [/has no field "(\w+)"/, /must be/];
    const cases: readonly (readonly [string, object, RegExp])[] = [
      ["ServiceEntry", { ...ENTRY, address: ["10.0.0.1"] }, field],
      ["ServiceEntry", { ...ENTRY, resolution: "NOWHERE" }, kind],
      ["ServiceEntry", { ...ENTRY, ports: [{ ...PORT, protocol: "UDP" }] }, kind],
      ["ServiceEntry", { ...ENTRY, hosts: ["*.example.com"] }, kind],
      ["VirtualService", http({ route: [TO_A], mirror_percent: 5 }), field],
      [
        "VirtualService",
        http({ route: [TO_A], fault: { abort: { grpcStatus: "X", percentage: { value: 1 } } } }),
        kind,
      ],
      [
        "DestinationRule",
        { host: "a", trafficPolicy: { outlierDetection: { consecutiveErrors: 5 } } },
        field,
      ],
      ["DestinationRule", { host: "a", trafficPolicy: { loadBalancer: { simple: "PASSTHROUGH" } } }, kind],
      ["Gateway", { selector: { app: 1 }, servers: [{ port: PORT, hosts: ["*"] }] }, kind],
      ["Gateway", { servers: [{ port: PORT, hosts: ["*"], tls: { caCrl: "x" } }] }, field],
    ];
    for (const [name, spec, expected] of cases) {
      const faults = faultsOf(name, spec);
      assert.ok(
        faults.some((fault) => expected.test(fault)),
        `${name} ${JSON.stringify(spec)}: ${faults.join("; ")}`,
      );
    }
  });

  it("need exactly one string match, or none where presence is meant", () => {
    assert.equal(faultsOf("VirtualService", http({ route: [TO_A], match: [{ uri: {} }] })).length, 1);
    const two = { exact: "/a", prefix: "/a" };
    assert.equal(faultsOf("VirtualService", http({ route: [TO_A], match: [{ uri: two }] })).length, 1);
    assert.equal(
      faultsOf("VirtualService", http({ route: [TO_A], match: [{ headers: { a: two } }] })).length,
      1,
    );
    assert.deepEqual(
      faultsOf("VirtualService", http({ route: [TO_A], match: [{ headers: { a: {} } }] })),
      [],
    );
  });
});

describe("a ServiceEntry", () => {
  it("with resolution STATIC needs endpoints with IP addresses", () => {
    const fixed = { ...ENTRY, resolution: "STATIC" };
    assert.deepEqual(faultsOf("ServiceEntry", fixed), [
      "Resolution STATIC needs endpoints or a workloadSelector [PURSER_DOC_INVALID_VALUE]",
    ]);
    const addresses = ["10.0.0.1", "::1", "localhost"].map((address) => ({ address }));
    const faults = faultsOf("ServiceEntry", { ...fixed, endpoints: addresses });
    assert.equal(faults.length, 1);
    assert.match(faults[0] as string, /"localhost" is not one; use resolution DNS/);
  });

  it("lists each port once, and its endpoints name only these ports", () => {
    const twice = { ...ENTRY, ports: [PORT, { ...PORT, name: "other" }, { ...PORT, number: 81 }] };
    assert.deepEqual(faultsOf("ServiceEntry", twice), [
      "Port 80 is listed twice [PURSER_DOC_INVALID_VALUE]",
      'Two ports are named "http" [PURSER_DOC_INVALID_VALUE]',
    ]);
    const wrong = { ...ENTRY, endpoints: [{ address: "b", ports: { htp: 81 } }] };
    assert.match(faultsOf("ServiceEntry", wrong).join(), /^No port of this ServiceEntry is named "htp"/);
  });
});

describe("a DestinationRule", () => {
  it("names each subset once", () => {
    const subsets = [{ name: "v1" }, { name: "v1" }];
    assert.match(faultsOf("DestinationRule", { host: "a", subsets }).join(), /^Subset "v1" is listed twice/);
  });
});

describe("a VirtualService's route", () => {
  const faultsOfRoute = (route: object) => faultsOf("VirtualService", http(route)).join("\n");

  it("has exactly one action", () => {
    assert.match(
      faultsOfRoute({}),
      /needs exactly one of route, redirect, directResponse, delegate; this one has none/,
    );
    const both = { route: [TO_A], redirect: { uri: "/x" } };
    assert.match(faultsOfRoute(both), /this one has route and redirect/);
  });

  it("has fields for forwarding only when it forwards", () => {
    const fault = faultsOfRoute({ directResponse: { status: 200 }, timeout: "1s", rewrite: { uri: "/x" } });
    assert.match(fault, /no use for rewrite/);
    assert.match(fault, /no use for timeout/);
  });

  it("needs a weight above 0 among several destinations", () => {
    assert.match(faultsOfRoute({ route: [TO_A, TO_A] }), /at least one needs a weight above 0/);
    assert.equal(faultsOfRoute({ route: [{ ...TO_A, weight: 1 }, TO_A] }), "");
    assert.equal(faultsOfRoute({ route: [{ ...TO_A, weight: 0 }] }), "");
  });

  it("has a CORS policy whose origins browsers can send, and that lets no stranger use credentials", () => {
    const faults = (corsPolicy: object) => faultsOfRoute({ route: [TO_A], corsPolicy });
    const origins = (...allowOrigins: object[]) => ({ allowOrigins });
    const signedIn = (...allowOrigins: object[]) => ({ allowOrigins, allowCredentials: true });
    const fine = [
      origins({ exact: "*" }, { exact: "null" }, { prefix: "" }, { regex: ".*" }),
      signedIn({ exact: "https://shop.example.com" }, { exact: "http://localhost:8080" }),
      signedIn({ prefix: "http://localhost:" }, { regex: "https://[a-z]+\\.example\\.com" }),
      {
        ...signedIn({ exact: "https://a" }),
        allowMethods: ["GET", "*"],
        allowHeaders: ["x-token"],
        exposeHeaders: ["x-total"],
        maxAge: "24h",
        unmatchedPreflights: "IGNORE",
      },
    ];
    for (const policy of fine) assert.equal(faults(policy), "", JSON.stringify(policy));
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{}, /allowOrigins/],
      [origins(), /allowOrigins/],
      [origins({ exact: "shop.example.com" }), /No browser sends the origin "shop.example.com"/],
      [origins({ exact: "https://shop.example.com/" }), /without a path/],
      [origins({ regex: "(?=a)" }), /Not an RE2 expression/],
      [signedIn({ exact: "*" }), /would let any site read/],
      [signedIn({ exact: "null" }), /would let any site read/],
      [signedIn({ prefix: "" }), /must have the host and a colon/],
      [signedIn({ prefix: "https://shop.example.com" }), /must have the host and a colon/],
      [signedIn({ regex: ".*" }), /allows any site/],
      [signedIn({ regex: "https?://.+" }), /allows any site/],
      [signedIn({ regex: "https://shop|null" }), /allows any site/],
      [{ ...origins({ exact: "*" }), allowHeaders: ["a, b"] }, /allowHeaders/],
      [{ ...origins({ exact: "*" }), allowMethods: ["GET\r\nset-cookie: a"] }, /allowMethods/],
      [{ ...origins({ exact: "*" }), unmatchedPreflights: "DENY" }, /must be FORWARD or IGNORE/],
      [{ allowOrigin: ["*"] }, /allowOrigin is not supported: .* write allowOrigins/],
    ];
    for (const [policy, expected] of wrong) assert.match(faults(policy), expected, JSON.stringify(policy));
  });

  it("has one mirror with its share, or several", () => {
    const mirrors = [{ destination: { host: "a" } }];
    const mirror = { host: "a" };
    const mirrorPercentage = { value: 5 };
    assert.equal(faultsOfRoute({ route: [TO_A], mirror, mirrorPercentage }), "");
    assert.equal(faultsOfRoute({ route: [TO_A], mirrors }), "");
    assert.match(faultsOfRoute({ route: [TO_A], mirror, mirrors }), /either mirror or mirrors/);
    assert.match(faultsOfRoute({ route: [TO_A], mirrorPercentage }), /has no mirror/);
    const direct = { directResponse: { status: 200 }, mirror };
    assert.match(faultsOfRoute(direct), /no use for mirror/);
  });

  it("rewrites by a pattern and a replacement that fit together", () => {
    const faults = (match: string, replacement: string, more: object = {}) =>
      faultsOfRoute({
        route: [TO_A],
        rewrite: { uriRegexRewrite: { match, rewrite: replacement }, ...more },
      });
    assert.equal(faults("^/user/([^/]+)/(.*)$", "/\\2/of/\\1"), "");
    assert.equal(faults("/(?P<name>a+?)/(?i:b)", "\\0\\\\\\1", { authority: "b" }), "");
    assert.match(faults("a", "/", { uri: "/" }), /either uri or uriRegexRewrite/);
    assert.match(faults("(a", "/"), /Not an RE2 expression that Purser can run: missing closing/);
    assert.match(faults("(?U)a+", "/"), /flag U is not supported here/);
    assert.match(faults("(a*)+", "/"), /can be empty/);
    assert.match(faults("(?:(a)|b)*", "/"), /group within a repeat/);
    assert.match(faults("(a)", "\\2"), /\\2 has no group: the pattern has 1/);
    assert.match(faults("(a)", "\\x"), /a backslash needs a digit/);
    assert.match(faults("(a)", "\\"), /a backslash needs a digit/);
    for (const replacement of ["/a?b", "/a#b", "/a b", "", "/\r\n"])
      assert.match(faults("a", replacement), /rewrite/, replacement);
  });

  it("rewrites to a path that can be forwarded", () => {
    const faults = (uri: string) => faultsOfRoute({ route: [TO_A], rewrite: { uri } });
    for (const uri of ["/", "/v1/", "/a//b", "/a%20b", "/a%2Fb"]) assert.equal(faults(uri), "", uri);
    for (const uri of ["/v1/..", "/v1/%2e/a"]) assert.match(faults(uri), /The path has a dot segment/, uri);
    assert.match(faults("/100%"), /The path has a % that begins no escape/);
  });

  it("says why it has no use for some of Envoy's retry conditions", () => {
    const faults = (retryOn: string) => faultsOfRoute({ route: [TO_A], retries: { attempts: 1, retryOn } });
    assert.match(faults("5xx,retriable-headers"), /cannot write; list response codes/);
    assert.match(faults("http3-post-connect-failure"), /HTTP\/3.*leave it out/);
    const remote = { attempts: 1, retryRemoteLocalities: true };
    assert.match(faultsOfRoute({ route: [TO_A], retries: remote }), /Retries cannot go to localities/);
    assert.equal(faults("reset-before-request,envoy-ratelimited,retriable-status-codes,429"), "");
  });

  it("has only known retry conditions", () => {
    const fault = faultsOfRoute({ route: [TO_A], retries: { attempts: 1, retryOn: "5xx,conect-failure" } });
    assert.match(fault, /"conect-failure" is not a retry condition.*did you mean "connect-failure"/);
  });

  it("has one condition on a header", () => {
    const faults = (match: object) => faultsOfRoute({ route: [TO_A], match: [match] });
    const a = { exact: "a" };
    assert.equal(faults({ headers: { "X-A": a, "x-b": a }, withoutHeaders: { "x-a": a } }), "");
    assert.match(faults({ headers: { "X-A": a, "x-a": a } }), /x-a and X-A are the same header/);
    assert.match(faults({ withoutHeaders: { "x-a": a, "X-a": {} } }), /X-a and x-a are the same header/);
    assert.match(
      faults({ authority: a, headers: { ":Authority": a } }),
      /either authority or the header :Authority/,
    );
    const proto = { "X-Forwarded-Proto": a };
    assert.match(faults({ scheme: a, headers: proto }), /either scheme or the header X-Forwarded-Proto/);
  });

  it("has only valid RE2 expressions", () => {
    const match = [
      { uri: { regex: "(" }, headers: { a: { regex: "(?=.*x)" } }, queryParams: { b: { regex: "x+" } } },
    ];
    assert.equal(faultsOfRoute({ route: [TO_A], match }).split("\n").length, 2);
  });

  it("restricts matches to the VirtualService's own gateways", () => {
    const match = [{ gateways: ["mash"] }];
    assert.match(
      faultsOfRoute({ route: [TO_A], match }),
      /"mash" is not among .* \(mesh\) \(did you mean "mesh"\?\)/,
    );
  });

  it("may not change headers that frame the message, nor break the header block", () => {
    const changes = (request: object) => faultsOfRoute({ route: [{ ...TO_A, headers: { request } }] });
    assert.match(changes({ set: { Host: "b" } }), /may not change the header Host; use rewrite.authority/);
    assert.match(changes({ remove: ["Content-Length"] }), /may not change the header Content-Length/);
    assert.match(changes({ add: { "x y": "1" } }), /"x y" is not a header name/);
    assert.match(changes({ set: { "x-a": "1\r\nx-b: 2" } }), /The value of x-a/);
    assert.equal(changes({ set: { "x-a": "caf\u00e9" } }), "");
  });
});
