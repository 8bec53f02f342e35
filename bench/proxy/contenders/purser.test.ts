// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../machine/repository.ts";
import { filledIn } from "./purser.ts";

const document = (name: string): string => readFileSync(join(ROOT, "bench/proxy/mesh", name), "utf8");
const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

describe("the documents that the bench gives Purser", () => {
  it("are what the bench says of them: 20 policies, 3 quotas, a counter, a histogram and a log", () => {
    const text = document("policies.yaml");
    assert.equal(count(text, /^kind: AccessPolicy$/gm), 20);
    assert.equal(count(text, /^kind: QuotaPolicy$/gm), 3);
    assert.equal(count(text, /type: counter/g), 1);
    assert.equal(count(text, /type: histogram/g), 1);
    assert.equal(count(text, /^kind: LogEntry$/gm), 1);
  });

  it("get the ports of the run", () => {
    const text = filledIn(document("routes.yaml"), 18_001, { upstreamPort: 18_002 });
    assert.match(text, /number: 18001, name: edge, protocol: HTTP }, hosts: \["\*"\] }/);
    assert.match(text, /http: 18002 /);
    assert.doesNotMatch(text, /(EDGE|UPSTREAM)_[A-Z]/);
  });

  it("get the certificate of a run with TLS, and plain HTTP to the upstream", () => {
    const certificate = { certFile: "/run/tls.crt", keyFile: "/run/tls.key" };
    const text = filledIn(document("routes.yaml"), 18_001, { upstreamPort: 18_002, certificate });
    assert.match(
      text,
      /protocol: HTTPS }, hosts: \["\*"\], tls: { mode: SIMPLE, serverCertificate: \/run\/tls\.crt,/,
    );
    assert.match(text, /name: http, protocol: HTTP }/);
  });

  it("speak gRPC on both sides of a run with gRPC", () => {
    const text = filledIn(document("routes.yaml"), 18_001, { upstreamPort: 18_002, isGrpc: true });
    assert.equal(count(text, /protocol: GRPC }/g), 2);
  });
});
