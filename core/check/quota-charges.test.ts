// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Reads } from "../../expressions/runtime/reads/reads.ts";
import type { QuotaPolicySpec } from "../documents/kinds/quota-policy.ts";
import { compileWithJsonata } from "../expressions/jsonata-engine.ts";
import { buildStandalonePolicies } from "../snapshot/standalone-policies.ts";
import { evaluateCharge } from "./quota-charges.ts";

/** The charge of a request with these attributes, and the definition of its policy. */
function chargeOf(spec: Partial<QuotaPolicySpec>, bag = {}) {
  const document = { kind: "QuotaPolicy" as const, name: "q", spec: { limit: 10, window: "60s", ...spec } };
  const [policy] = buildStandalonePolicies([document], compileWithJsonata);
  assert.ok(policy?.kind === "QuotaPolicy");
  const scope = { bag, context: { nowMs: 0, reads: new Reads(bag) }, cacheable: true };
  return { charge: evaluateCharge(policy, scope), definition: policy.quota };
}

describe("a charge", () => {
  it("contains its policy's definition whole", () => {
    for (const spec of [{}, { giveBackOn: "failure", unit: "content-bytes", headers: false } as const]) {
      const { charge, definition } = chargeOf(spec);
      const rest = { mode: "enforce", cell: "q{}", limit: 10, amount: 1, message: "quota q is used up" };
      assert.deepEqual(charge, { ...definition, ...rest });
    }
  });

  it("is of requests, and shown to clients, unless its policy says otherwise", () => {
    for (const spec of [{}, { unit: "requests", headers: true } as const]) {
      const { definition } = chargeOf(spec);
      assert.deepEqual([definition.unit, definition.hidden], [undefined, undefined]);
    }
    const { definition } = chargeOf({ unit: "content-bytes", headers: false });
    assert.deepEqual([definition.unit, definition.hidden], ["content-bytes", true]);
  });

  it("is in the count of a network and a route", () => {
    const key = {
      network: "$addressPrefix(source.ip, 24, 64)",
      route: '$pathTemplate(request.url_path, ["/users/{id}"])',
    };
    const cellOf = (ip: string, path: string) => {
      const { charge } = chargeOf({ key }, { source: { ip }, request: { url_path: path } });
      return (charge as { readonly cell: string }).cell;
    };
    assert.equal(cellOf("192.0.2.7", "/users/1"), 'q{"network":"192.0.2.0/24","route":"/users/{id}"}');
    assert.equal(cellOf("2001:db8::7", "/books"), 'q{"network":"2001:db8::/64"}');
    assert.equal(cellOf("unknown", "/books"), "q{}");
  });
});
