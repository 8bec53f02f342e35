// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { isRemovedAtEdge } from "./client-claims.ts";

const CLAIMS = (
  "x-forwarded-client-cert x-forwarded-prefix x-forwarded-port x-forwarded-uri x-forwarded-user x-forwarded-ssl " +
  "x-forwarded-proto x-forwarded-host x-forwarded x-forwarded-for-original forwarded x-real-ip x-original-url " +
  "x-original-forwarded-for x-rewrite-url client-cert client-cert-chain ssl-client-verify x-ssl-client-dn " +
  "true-client-ip cf-connecting-ip x-cluster-client-ip client-ip x-remote-user remote-user x-auth-request-email " +
  "script-name proxy front-end-https"
).split(" ");
const OF_THE_MESH =
  "x-envoy-external-address x-envoy-internal x-envoy-retry-on x-istio-attributes x-purser-a".split(" ");
const ORDINARY = (
  "x-forwarded-for host accept user-agent authorization cookie x-user x-role x-request-id traceparent x-client-version " +
  "content-type if-none-match origin referer x-requested-with via from"
).split(" ");

/** The name with some dashes as underscores, as upstreams read it that turn names into variables. */
const spelled = (name: string) =>
  fc
    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
    .map((fold) => name.replaceAll("-", (dash, at: number) => (fold[at] === true ? "_" : dash)));

describe("headers that an edge removes from a request", () => {
  for (const name of CLAIMS)
    it(`${name}, in any spelling, unless a proxy in front is trusted`, () => {
      fc.assert(
        fc.property(spelled(name), fc.integer({ min: 1, max: 9 }), (spelling, hops) => {
          assert.ok(isRemovedAtEdge(spelling, 0), spelling);
          assert.ok(!isRemovedAtEdge(spelling, hops), spelling);
        }),
      );
    });

  for (const name of OF_THE_MESH)
    it(`${name}, in any spelling, whoever is in front`, () => {
      fc.assert(fc.property(spelled(name), fc.nat(9), (spelling, hops) => isRemovedAtEdge(spelling, hops)));
    });

  it("any other name with a forwarding prefix", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z-]{0,12}$/), (rest) => {
        const name = `x-forwarded-${rest}`;
        assert.equal(isRemovedAtEdge(name, 0), name !== "x-forwarded-for");
      }),
    );
  });

  it("no header that clients legitimately send", () => {
    for (const name of ORDINARY) for (const hops of [0, 1]) assert.ok(!isRemovedAtEdge(name, hops), name);
  });
});
