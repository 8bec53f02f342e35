// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { ProxyNode } from "../../api/pilot-service.ts";
import { trafficDocuments } from "../../test/support/traffic-documents.ts";
import { translate } from "./translate.ts";

const document = (name: string, namespace: string, spec: object): string =>
  `${JSON.stringify({
    apiVersion: "security.istio.io/v1",
    kind: "RequestAuthentication",
    metadata: { name, namespace },
    spec,
  })}\n---\n`;

const rule = (issuer: string, more: object = {}) => ({
  jwtRules: [{ issuer, jwksUri: `https://${issuer}/jwks`, ...more }],
});

const JWKS = JSON.stringify({ keys: [{ kty: "OKP", crv: "Ed25519", x: "A".repeat(43) }] });

const EDGE: ProxyNode = { role: "edge", id: "edge", host: "127.0.0.1", port: 8_000, trustedHops: 0 };
const sidecar = (namespace: string, labels: Record<string, string> = {}): ProxyNode => ({
  role: "sidecar",
  id: "shop-1",
  host: "127.0.0.1",
  service: "shop",
  namespace,
  outboundPort: 15_001,
  inbound: { port: 15_006, appHost: "127.0.0.1", appPort: 80 },
  labels,
});

/** The issuers at each listener of the node. */
function issuersAt(documents: string, node: ProxyNode): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    translate(trafficDocuments(documents), node).listeners.resources.map((listener) => [
      listener.name,
      (listener.requestAuthentication?.rules ?? []).map(({ issuer }) => issuer),
    ]),
  );
}

describe("RequestAuthentication documents", () => {
  const documents =
    document("root", "istio-system", rule("root")) +
    document("mine", "shop", rule("mine")) +
    document("labelled", "shop", { selector: { matchLabels: { app: "shop" } }, ...rule("labelled") }) +
    document("edge", "default", {
      selector: { matchLabels: { istio: "ingressgateway" } },
      ...rule("edge"),
    });

  it("are for the edges of the Gateways in targetRefs, which have the Gateway's name as a label or no such label", () => {
    const targetRefs = [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "public" }];
    const text = document("a", "shop", { targetRefs, ...rule("a") });
    const label = "gateway.networking.k8s.io/gateway-name";
    assert.deepEqual(issuersAt(text, EDGE), { "127.0.0.1_8000": ["a"] });
    for (const [name, issuers] of [
      ["public", ["a"]],
      ["private", []],
    ] as const)
      assert.deepEqual(issuersAt(text, { ...EDGE, labels: { [label]: name } }), {
        "127.0.0.1_8000": issuers,
      });
    assert.deepEqual(issuersAt(text, sidecar("shop")), { outbound: [], inbound: [] });
  });

  it("are for the workloads of their namespace that they select, the root namespace's for all", () => {
    assert.deepEqual(issuersAt(documents, EDGE), { "127.0.0.1_8000": ["root", "edge"] });
    assert.deepEqual(issuersAt(documents, sidecar("shop")), {
      outbound: [],
      inbound: ["root", "mine"],
    });
    assert.deepEqual(issuersAt(documents, sidecar("shop", { app: "shop" })), {
      outbound: [],
      inbound: ["root", "mine", "labelled"],
    });
    assert.deepEqual(issuersAt(documents, sidecar("books")), { outbound: [], inbound: ["root"] });
  });

  it("become rules with every default filled in", () => {
    const { listeners } = translate(trafficDocuments(document("users", "default", rule("a"))), EDGE);
    assert.deepEqual(listeners.resources[0]?.requestAuthentication, {
      rules: [
        {
          document: "users",
          issuer: "a",
          audiences: [],
          keys: { kind: "remote", url: "https://a/jwks", timeoutMs: 5_000 },
          places: [
            { kind: "header", name: "authorization", prefix: "Bearer " },
            { kind: "param", name: "access_token" },
          ],
          claimHeaders: [],
          forwardsToken: false,
          spaceDelimitedClaims: [],
        },
      ],
    });
  });

  it("keep every field", () => {
    const spec = {
      jwtRules: [
        {
          issuer: "a",
          audiences: ["x"],
          jwks: JWKS,
          fromHeaders: [{ name: "X-Token", prefix: "JWT " }, { name: "x-other" }],
          fromParams: ["t"],
          fromCookies: ["c"],
          outputPayloadToHeader: "X-Payload",
          outputClaimToHeaders: [{ header: "X-User", claim: "sub" }],
          forwardOriginalToken: true,
          spaceDelimitedClaims: ["scope"],
        },
      ],
    };
    const { listeners } = translate(trafficDocuments(document("users", "shop", spec)), sidecar("shop"));
    assert.deepEqual(listeners.resources[1]?.requestAuthentication?.rules, [
      {
        document: "shop/users",
        issuer: "a",
        audiences: ["x"],
        keys: { kind: "inline", jwks: JWKS },
        places: [
          { kind: "header", name: "x-token", prefix: "JWT " },
          { kind: "header", name: "x-other", prefix: "" },
          { kind: "param", name: "t" },
          { kind: "cookie", name: "c" },
        ],
        payloadHeader: "x-payload",
        claimHeaders: [{ header: "x-user", claim: "sub" }],
        forwardsToken: true,
        spaceDelimitedClaims: ["scope"],
      },
    ]);
  });
});
