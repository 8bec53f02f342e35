// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { RESOURCE_TYPES, type TrafficResources } from "../../core/traffic/resources/resource-set.ts";
import {
  clusterOf,
  configOf,
  endpointAt,
  forwardTo,
  NO_CREDENTIALS,
  routeOf,
  runtime,
} from "../testing/harness.test.ts";
import { SnapshotBuilder } from "./snapshot-builder.ts";
import { HTTP_TRANSPORT } from "../transport/http-transport.ts";
import type { ProxySnapshot } from "./snapshot.ts";

const A = "outbound|80||a";
const B = "outbound|80||b";

/** Two clusters with a route to each; `ports` are the ports of the endpoints of `A`. */
function stateOf(
  ports: readonly number[],
  more: { readonly status?: number; readonly maxRequests?: number } = {},
) {
  const { status = 200, maxRequests = 10 } = more;
  return configOf({
    clusters: [
      clusterOf(
        ports.map((port) => endpointAt(port)),
        { name: A, maxRequests },
      ),
      clusterOf([endpointAt(9000)], { name: B }),
    ],
    routes: [
      routeOf(forwardTo(A)),
      routeOf(forwardTo(B)),
      routeOf({ kind: "direct", status, body: "", contentType: "text/plain" }),
    ],
  });
}

const portsOf = (snapshot: ProxySnapshot, cluster: string): readonly number[] | undefined =>
  snapshot.endpoints.get(cluster)?.endpoints.map(({ endpoint }) => endpoint.port);

/** The parts of a snapshot that a request sees. */
const contentOf = ({ resources, routeTables, clusters, endpoints }: ProxySnapshot) => ({
  resources,
  tables: [...routeTables.keys()],
  clusters: [...clusters.values()].map(({ config }) => config),
  endpoints: [...endpoints.values()].map((set) => ({
    assignment: set.assignment,
    maxRequests: set.cluster.config.maxRequests,
    picks: set.endpoints.map(({ endpoint }) => endpoint),
  })),
});

describe("the snapshots of a proxy", () => {
  let builder: SnapshotBuilder;
  beforeEach(() => {
    builder = new SnapshotBuilder(HTTP_TRANSPORT, NO_CREDENTIALS, runtime);
  });
  afterEach(() => builder.destroy());

  it("keep compiled routes, clusters and connections when an endpoint changes", () => {
    const before = builder.build(stateOf([8001, 8002]));
    const after = builder.build(stateOf([8002, 8003]));
    assert.equal(after.routeTables, before.routeTables);
    for (const name of [A, B]) assert.equal(after.clusters.get(name), before.clusters.get(name));
    assert.equal(after.endpoints.get(B), before.endpoints.get(B));
    assert.notEqual(after.endpoints.get(A), before.endpoints.get(A));
    assert.equal(
      after.endpoints.get(A)?.endpoints[0]?.upstream,
      before.endpoints.get(A)?.endpoints[1]?.upstream,
    );
  });

  it("keep clusters and endpoints when a route changes", () => {
    const before = builder.build(stateOf([8001]));
    const after = builder.build(stateOf([8001], { status: 204 }));
    assert.notEqual(after.routeTables.get("main"), before.routeTables.get("main"));
    for (const name of [A, B]) {
      assert.equal(after.clusters.get(name), before.clusters.get(name));
      assert.equal(after.endpoints.get(name), before.endpoints.get(name));
    }
  });

  it("keep a cluster's requests under way and its connections when its settings change", () => {
    const before = builder.build(stateOf([8001]));
    before.clusters.get(A)?.enter();
    const after = builder.build(stateOf([8001], { maxRequests: 1 }));
    assert.equal(after.routeTables, before.routeTables);
    assert.equal(after.clusters.get(B), before.clusters.get(B));
    assert.equal(after.clusters.get(A)?.enter(), false);
    assert.equal(
      after.endpoints.get(A)?.endpoints[0]?.upstream,
      before.endpoints.get(A)?.endpoints[0]?.upstream,
    );
  });

  it("leave a request the endpoints that it began with", () => {
    const before = builder.build(stateOf([8001]));
    builder.build(stateOf([8002]));
    assert.deepEqual(portsOf(before, A), [8001]);
  });

  it("do not recompile an unchanged route table of a changed set", () => {
    const { routes, ...others } = stateOf([8001]);
    const extra = { name: "extra", virtualHosts: [] };
    const before = builder.build({ ...others, routes });
    const more = { version: "more", resources: [...routes.resources, extra] };
    const after = builder.build({ ...others, routes: more });
    assert.equal(after.routeTables.get("main"), before.routeTables.get("main"));
    assert.ok(after.routeTables.has("extra"));
  });

  it("let assignments wait for their cluster, and allow a cluster without endpoints", () => {
    const { clusters, endpoints, ...others } = stateOf([8001]);
    const none = { version: "none", resources: [] };
    const early = builder.build({ ...others, clusters: none, endpoints });
    assert.equal(early.endpoints.size, 0);
    const alone = builder.build({ ...others, clusters, endpoints: none });
    assert.deepEqual(portsOf(alone, A), []);
    assert.equal(alone.endpoints.get(A)?.pick([], undefined), undefined);
    assert.deepEqual(portsOf(builder.build({ ...others, clusters, endpoints }), A), [8001]);
  });

  it("are the same whatever the order and number of the updates", () => {
    const states = [stateOf([8001]), stateOf([8001, 8002], { status: 204 }), stateOf([], { maxRequests: 3 })];
    const last = states[states.length - 1] as TrafficResources;
    const step = fc.record({ type: fc.constantFrom(...RESOURCE_TYPES), state: fc.nat(states.length - 1) });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 12 }),
        fc.shuffledSubarray([...RESOURCE_TYPES], { minLength: RESOURCE_TYPES.length }),
        (steps, order) => {
          const stepwise = new SnapshotBuilder(HTTP_TRANSPORT, NO_CREDENTIALS, runtime);
          let held = states[0] as TrafficResources;
          let snapshot = stepwise.build(held);
          const apply = (next: TrafficResources): void => {
            held = next;
            const old = snapshot;
            snapshot = stepwise.build(held);
            old.release();
          };
          for (const { type, state } of steps)
            apply({ ...held, [type]: (states[state] as TrafficResources)[type] });
          for (const type of order) apply({ ...held, [type]: last[type] });
          const atOnce = new SnapshotBuilder(HTTP_TRANSPORT, NO_CREDENTIALS, runtime);
          assert.deepEqual(contentOf(snapshot), contentOf(atOnce.build(last)));
          void stepwise.destroy();
          void atOnce.destroy();
        },
      ),
      { numRuns: 60 },
    );
  });
});
