// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { formatDiagnostic } from "../../../kernel/diagnostic.ts";
import { parseDocuments } from "../parse-documents.ts";

/** The faults of a DestinationRule with this load balancer, each with its line. */
function faultsOf(loadBalancer: string, inSubset = false): readonly string[] {
  const policy = `trafficPolicy: { loadBalancer: ${loadBalancer} }`;
  const text = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: x }
spec:
  host: a
  ${inSubset ? `subsets: [{ name: v1, ${policy} }]` : policy}
`;
  return parseDocuments({ path: "x", text }).diagnostics.map((diagnostic) => formatDiagnostic(diagnostic));
}

const ACCEPTED: readonly string[] = [
  "{ simple: ROUND_ROBIN, warmup: { duration: 30s, minimumPercent: 0, aggression: 1.5 } }",
  "{ warmupDurationSecs: 60s }",
  "{ consistentHash: { httpHeaderName: X-User } }",
  "{ consistentHash: { useSourceIp: true, minimumRingSize: 512 } }",
  "{ consistentHash: { httpQueryParameterName: user, ringHash: {} } }",
  "{ consistentHash: { httpQueryParameterName: user, ringHash: { minimumRingSize: 65536 } } }",
  "{ consistentHash: { useSourceIp: false, httpCookie: { name: s }, maglev: { tableSize: 131071 } } }",
  "{ consistentHash: { httpCookie: { name: s, path: /, ttl: 0s, attributes: [{ name: Secure }, { name: SameSite, value: Lax }] } } }",
  "{ localityLbSetting: { enabled: false } }",
  "{ localityLbSetting: {} }",
  "{ localityLbSetting: { distribute: [{ from: 'r/a/*', to: { 'r/a/*': 80, 'r/b': 20 } }, { from: 'r/b', to: { '*': 100 } }] } }",
  "{ simple: RANDOM, localityLbSetting: { failover: [{ from: r1, to: r2 }, { from: r2, to: r1 }] } }",
  "{ localityLbSetting: { failoverPriority: [topology.kubernetes.io/region, version=v1, topology.istio.io/subzone] } }",
];

const REFUSED: readonly (readonly [loadBalancer: string, message: RegExp])[] = [
  ["{}", /./],
  ["{ simple: PASSTHROUGH }", /in place of PASSTHROUGH, list the addresses under endpoints/],
  ["{ simple: round_robin }", /ROUND_ROBIN/],
  ["{ simple: RANDOM, consistentHash: { useSourceIp: true } }", /exclude each other/],
  ["{ consistentHash: {} }", /exactly one of .*; this one has none/],
  ["{ consistentHash: { useSourceIp: false } }", /this one has none/],
  ["{ consistentHash: { useSourceIp: true, httpHeaderName: a } }", /has httpHeaderName and useSourceIp/],
  ["{ consistentHash: { httpHeaderName: ':path' } }", /must be a header name/],
  ["{ consistentHash: { httpHeaderName: '' } }", /must be a header name/],
  ["{ consistentHash: { useSourceIp: true, maglev: {}, ringHash: {} } }", /ringHash and maglev exclude/],
  ["{ consistentHash: { useSourceIp: true, maglev: { tableSize: 100 } } }", /must be a prime, such as 101/],
  ["{ consistentHash: { useSourceIp: true, maglev: { tableSize: 131070 } } }", /such as 131071/],
  ["{ consistentHash: { useSourceIp: true, maglev: { tableSize: 5000011 } } }", /from 2 to 131071/],
  ["{ consistentHash: { useSourceIp: true, minimumRingSize: 0 } }", /from 1 to 65536/],
  ["{ consistentHash: { useSourceIp: true, ringHash: { minimumRingSize: 8388608 } } }", /from 1 to 65536/],
  ["{ consistentHash: { httpCookie: { name: 'a b' } } }", /must be a cookie name/],
  ["{ consistentHash: { httpCookie: { name: a, path: 'a' } } }", /begins with \//],
  ["{ consistentHash: { httpCookie: { name: a, path: '/;Domain=x' } } }", /no semicolon/],
  ['{ consistentHash: { httpCookie: { name: a, path: "/\\r\\nx: y" } } }', /no semicolon/],
  ["{ consistentHash: { httpCookie: { name: a, ttl: soon } } }", /duration/],
  ["{ consistentHash: { httpCookie: { name: a, attributes: [{ name: PATH, value: / }] } } }", /field path/],
  ["{ consistentHash: { httpCookie: { name: a, attributes: [{ name: HttpOnly }] } } }", /always written/],
  ["{ consistentHash: { httpCookie: { name: a, attributes: [{ name: Max-Age }] } } }", /field ttl/],
  [
    "{ consistentHash: { httpCookie: { name: a, attributes: [{ name: Secure }, { name: secure }] } } }",
    /listed twice/,
  ],
  ["{ warmup: {} }", /duration/],
  ["{ warmup: { duration: 999ms } }", /at least 1s/],
  ["{ warmup: { duration: 1s, aggression: 0 } }", /above 0/],
  ["{ warmup: { duration: 1s, minimumPercent: 101 } }", /from 0 to 100/],
  ["{ warmup: { duration: 9s }, warmupDurationSecs: 9s }", /write only warmup/],
  ["{ simple: RANDOM, warmupDurationSecs: 9s }", /Only LEAST_REQUEST and ROUND_ROBIN/],
  [
    "{ consistentHash: { useSourceIp: true }, warmup: { duration: 9s } }",
    /Only LEAST_REQUEST and ROUND_ROBIN/,
  ],
  ["{ localityLbSetting: { distribute: [{ from: r, to: { r: 99 } }] } }", /sum to 100; these are 99/],
  ["{ localityLbSetting: { distribute: [{ from: r, to: { r: 0, s: 100 } }] } }", /from 1 to 100/],
  ["{ localityLbSetting: { distribute: [{ from: r, to: {} }] } }", /./],
  ["{ localityLbSetting: { distribute: [{ from: r, to: { 'r/*': 50, 'r/a': 50 } }] } }", /r\/a overlaps/],
  ["{ localityLbSetting: { distribute: [{ from: r, to: { 'r//a': 100 } }] } }", /is not a locality/],
  ["{ localityLbSetting: { distribute: [{ from: 'a/*/b', to: { r: 100 } }] } }", /must be a locality/],
  [
    "{ localityLbSetting: { distribute: [{ from: 'r/*', to: { r: 100 } }, { from: r/a, to: { r: 100 } }] } }",
    /r\/a overlaps with an earlier from/,
  ],
  ["{ localityLbSetting: { failover: [{ from: r1, to: r1 }] } }", /to itself/],
  ["{ localityLbSetting: { failover: [{ from: r1, to: r2 }, { from: r1, to: r3 }] } }", /r1 is listed twice/],
  ["{ localityLbSetting: { failover: [{ from: r1/a, to: r2 }] } }", /a region, without a zone/],
  ["{ localityLbSetting: { failoverPriority: [version] } }", /A proxy has no label version.*version=VALUE/],
  ["{ localityLbSetting: { failoverPriority: ['=v1'] } }", /name is missing/],
  ["{ localityLbSetting: { failoverPriority: [a=1, a=2] } }", /a is listed twice/],
  [
    "{ localityLbSetting: { failover: [{ from: r1, to: r2 }], failoverPriority: [a=1] } }",
    /failover and failoverPriority exclude each other/,
  ],
];

describe("the load balancer of a DestinationRule", () => {
  for (const loadBalancer of ACCEPTED)
    it(`may be ${loadBalancer}`, () => {
      assert.deepEqual(faultsOf(loadBalancer), []);
      assert.deepEqual(faultsOf(loadBalancer, true), []);
    });

  for (const [loadBalancer, message] of REFUSED)
    it(`may not be ${loadBalancer}`, () => {
      for (const inSubset of [false, true]) {
        const faults = faultsOf(loadBalancer, inSubset);
        assert.equal(faults.length, 1, faults.join("\n"));
        assert.match(faults[0] ?? "", /^x:6:\d+: /);
        assert.match(faults[0] ?? "", message);
      }
    });
});
