// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { isPurserError } from "../../kernel/errors.ts";
import type { ProxyNode } from "../pilot-service.ts";
import { type KnownVersions, NOTHING_KNOWN } from "../../core/traffic/resources/resource-set.ts";
import {
  decodeDiscoveryRequest,
  DISCOVERY_PATH,
  type DiscoveryRequest,
  encodeDiscoveryRequest,
} from "./discovery.ts";
import { MAX_POLL_WAIT_MS } from "./query.ts";

const NODE: ProxyNode = {
  role: "sidecar",
  id: "sidecar~reviews & more~1",
  host: "::1",
  service: "reviews",
  outboundPort: 15001,
  inbound: { port: 15006, appHost: "127.0.0.1", appPort: 9080 },
};

function decode(path: string) {
  const url = new URL(path, "http://pilot");
  assert.equal(url.pathname, DISCOVERY_PATH);
  return decodeDiscoveryRequest(Object.fromEntries(url.searchParams));
}

const isInvalid = (error: unknown): boolean =>
  isPurserError(error) && error.code === "PURSER_REQUEST_INVALID";

describe("the query for traffic resources", () => {
  it("survives encoding and decoding, whichever types it watches", () => {
    const each: readonly KnownVersions[] = [
      NOTHING_KNOWN,
      { endpoints: "a b&c" },
      { clusters: "", routes: "=" },
      { clusters: "1", endpoints: "2", listeners: "3", routes: "4" },
    ];
    for (const known of each) {
      const request: DiscoveryRequest = { node: NODE, known, waitMs: 1000 };
      assert.deepEqual(decode(encodeDiscoveryRequest(request)), request);
    }
  });

  it("without versions watches every type, and does not wait", () => {
    const node = encodeURIComponent(JSON.stringify(NODE));
    assert.deepEqual(decode(`${DISCOVERY_PATH}?node=${node}`), {
      node: NODE,
      known: NOTHING_KNOWN,
      waitMs: 0,
    });
  });

  it("never waits longer than pilot may hold it", () => {
    const request = { node: NODE, known: NOTHING_KNOWN, waitMs: 999_999 };
    assert.equal(decode(encodeDiscoveryRequest(request)).waitMs, MAX_POLL_WAIT_MS);
  });

  it("is refused for an unknown type, or a repeated one", () => {
    const node = JSON.stringify(NODE);
    assert.throws(() => decodeDiscoveryRequest({ node, secrets: "1" }), isInvalid);
    assert.throws(() => decodeDiscoveryRequest({ node, routes: ["1", "2"] }), isInvalid);
  });

  it("is refused when a node has an unknown field, or an invalid port", () => {
    for (const node of [
      { ...NODE, port: 1 },
      { ...NODE, outboundPort: 70_000 },
      { ...NODE, role: "gateway" },
    ]) {
      const request = { node: node as ProxyNode, known: NOTHING_KNOWN, waitMs: 0 };
      assert.throws(() => decode(encodeDiscoveryRequest(request)), isInvalid);
    }
  });
});
