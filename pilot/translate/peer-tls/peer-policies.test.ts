// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { trafficDocuments } from "../../../test/support/traffic-documents.ts";
import { changingModes } from "./peer-tls-modes.ts";
import { PeerPolicies } from "./peer-policies.ts";

type Scope = "mesh" | "namespace" | "everywhere" | "workload";

const NAMESPACES: Readonly<Record<Scope, string>> = {
  mesh: "istio-system",
  namespace: "shop",
  everywhere: "istio-system",
  workload: "shop",
};

function document(
  scope: Scope,
  mode: string | undefined,
  ports: Readonly<Record<string, string>> = {},
): string {
  const selects = scope === "workload" || scope === "everywhere";
  const spec = {
    ...(selects ? { selector: { matchLabels: { app: "cart" } } } : {}),
    ...(mode === undefined ? {} : { mtls: { mode } }),
    ...(Object.keys(ports).length === 0
      ? {}
      : {
          portLevelMtls: Object.fromEntries(
            Object.entries(ports).map(([port, each]) => [port, { mode: each }]),
          ),
        }),
  };
  const metadata = { name: `${scope}-policy`, namespace: NAMESPACES[scope] };
  return `${JSON.stringify({ apiVersion: "security.istio.io/v1", kind: "PeerAuthentication", metadata, spec })}\n---\n`;
}

const CART = { namespace: "shop", labels: { app: "cart" } };
const WEB = { namespace: "shop", labels: { app: "web" } };
const AWAY = { namespace: "office", labels: { app: "cart" } };

const policiesOf = (text: string): PeerPolicies => new PeerPolicies(trafficDocuments(text));

/** The modes of cart's ports 80 and 81, of web, and of a workload of another namespace. */
function modesOf(...documents: readonly string[]): readonly string[] {
  const policies = policiesOf(documents.join(""));
  return [
    policies.modeOf(CART, 80),
    policies.modeOf(CART, 81),
    policies.modeOf(WEB, 80),
    policies.modeOf(AWAY, 80),
  ];
}

describe("the precedence of PeerAuthentications", () => {
  const off = "disable";
  const soft = "permissive";
  const hard = "strict";
  const rows: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["none", [], [off, off, off, off]],
    ["mesh", [document("mesh", "STRICT")], [hard, hard, hard, hard]],
    ["mesh, unset", [document("mesh", undefined)], [soft, soft, soft, soft]],
    ["mesh, UNSET", [document("mesh", "UNSET")], [soft, soft, soft, soft]],
    ["namespace", [document("namespace", "STRICT")], [hard, hard, hard, off]],
    ["workload", [document("workload", "STRICT")], [hard, hard, off, off]],
    [
      "namespace before mesh",
      [document("mesh", "STRICT"), document("namespace", "DISABLE")],
      [off, off, off, hard],
    ],
    [
      "workload before namespace before mesh, in any order",
      [document("workload", "PERMISSIVE"), document("namespace", "DISABLE"), document("mesh", "STRICT")],
      [soft, soft, off, hard],
    ],
    [
      "UNSET inherits from the next wider",
      [document("mesh", "STRICT"), document("namespace", "UNSET"), document("workload", undefined)],
      [hard, hard, hard, hard],
    ],
    [
      "port before the rest",
      [document("mesh", "STRICT"), document("workload", "PERMISSIVE", { 80: "DISABLE" })],
      [off, soft, hard, hard],
    ],
    [
      "port UNSET inherits from its workload",
      [document("mesh", "DISABLE"), document("workload", "STRICT", { 80: "UNSET" })],
      [hard, hard, off, off],
    ],
    [
      "port of a workload without a mode",
      [document("mesh", "STRICT"), document("workload", undefined, { 80: "DISABLE" })],
      [off, hard, hard, hard],
    ],
    [
      "a selector in the root namespace is for every namespace, after the namespace's own",
      [document("everywhere", "STRICT")],
      [hard, hard, off, hard],
    ],
    [
      "the own namespace's selector first",
      [document("everywhere", "STRICT"), document("workload", "DISABLE")],
      [off, off, off, hard],
    ],
  ];
  for (const [title, documents, expected] of rows)
    it(`is Istio's: ${title}`, () => assert.deepEqual(modesOf(...documents), expected));

  it("has servers accept both ways while they differ", () => {
    const modes = ["DISABLE", "PERMISSIVE", "STRICT"].map((mode) => policiesOf(document("mesh", mode)));
    for (const [index, each] of modes.entries()) {
      const alone = changingModes(each, [each]);
      assert.equal(alone.ofServer(CART, 80), [off, soft, hard][index]);
      for (const other of modes) {
        if (other !== each) assert.equal(changingModes(each, [each, other]).ofServer(CART, 80), soft);
      }
    }
  });
});
