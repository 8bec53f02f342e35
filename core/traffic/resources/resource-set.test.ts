// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  changedSets,
  isComplete,
  knownAfter,
  type KnownVersions,
  NOTHING_KNOWN,
  RESOURCE_TYPES,
  type ResourceType,
  type TrafficResources,
  type TrafficUpdate,
} from "./resource-set.ts";

const resourcesAt = (versions: Readonly<Record<ResourceType, string>>): TrafficResources => ({
  clusters: { version: versions.clusters, resources: [] },
  endpoints: { version: versions.endpoints, resources: [] },
  listeners: { version: versions.listeners, resources: [] },
  routes: { version: versions.routes, resources: [] },
});

const version = fc.constantFrom("1", "2", "3");
const resources = fc
  .record({ clusters: version, endpoints: version, listeners: version, routes: version })
  .map(resourcesAt);
const known: fc.Arbitrary<KnownVersions> = fc.record(
  {
    clusters: fc.constantFrom("", "1", "2"),
    endpoints: fc.constantFrom("", "1", "2"),
    listeners: fc.constantFrom("", "1", "2"),
    routes: fc.constantFrom("", "1", "2"),
  },
  { requiredKeys: [] },
);

describe("sets of resources", () => {
  it("have changed for a watcher exactly when it watches them and has another version", () => {
    fc.assert(
      fc.property(resources, known, (now, had) => {
        const changed = Object.keys(changedSets(now, had) ?? {});
        const expected = RESOURCE_TYPES.filter((type) => type in had && had[type] !== now[type].version);
        assert.deepEqual(changed, expected);
      }),
    );
  });

  it("are sent once: after an update nothing has changed, and no further type is watched", () => {
    fc.assert(
      fc.property(resources, known, (now, had) => {
        const after = knownAfter(had, changedSets(now, had) ?? {});
        assert.equal(changedSets(now, after), undefined);
        assert.deepEqual(Object.keys(after), Object.keys(had));
      }),
    );
  });

  it("bring a watcher from any state to the newest by changes alone", () => {
    fc.assert(
      fc.property(fc.array(resources, { minLength: 1 }), fc.array(fc.boolean()), (states, listens) => {
        let held: TrafficUpdate = {};
        const last = states[states.length - 1] as TrafficResources;
        for (const [index, state] of states.entries()) {
          if (listens[index] === true || state === last)
            held = { ...held, ...changedSets(state, knownAfter(NOTHING_KNOWN, held)) };
        }
        assert.deepEqual(held, last);
      }),
    );
  });

  it("are complete when each type is there", () => {
    const all = resourcesAt({ clusters: "1", endpoints: "1", listeners: "1", routes: "1" });
    assert.ok(isComplete(all));
    for (const type of RESOURCE_TYPES) assert.ok(!isComplete({ ...all, [type]: undefined }));
  });
});
