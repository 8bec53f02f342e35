// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { isPurserError } from "../kernel/errors.ts";
import type { ProxyNode } from "./pilot.ts";
import {
  decodeProxyConfigQuery,
  encodeProxyConfigQuery,
  MAX_POLL_WAIT_MS,
  PROXY_CONFIG_PATH,
} from "./pilot-http.ts";

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
  assert.equal(url.pathname, PROXY_CONFIG_PATH);
  return decodeProxyConfigQuery(Object.fromEntries(url.searchParams));
}

describe("the query for a proxy's configuration", () => {
  it("comes out as it went in", () => {
    const query = { node: NODE, version: "a b&c", waitMs: 1000 };
    assert.deepEqual(decode(encodeProxyConfigQuery(query)), query);
  });

  it("waits not at all by default, and never longer than pilot may hold it", () => {
    assert.deepEqual(decode(encodeProxyConfigQuery({ node: NODE })), { node: NODE, waitMs: 0 });
    assert.equal(decode(encodeProxyConfigQuery({ node: NODE, waitMs: 999_999 })).waitMs, MAX_POLL_WAIT_MS);
  });

  it("is refused when a node has a field too many, or a port that is none", () => {
    for (const node of [
      { ...NODE, port: 1 },
      { ...NODE, outboundPort: 70_000 },
      { ...NODE, role: "gateway" },
    ]) {
      assert.throws(
        () => decode(encodeProxyConfigQuery({ node: node as ProxyNode })),
        (error) => isPurserError(error) && error.code === "PURSER_REQUEST_INVALID",
      );
    }
  });
});
