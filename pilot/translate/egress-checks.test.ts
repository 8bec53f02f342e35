// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { parseDocuments } from "../../core/documents/parse-documents.ts";
import { DocumentSet } from "../../core/documents/set/document-set.ts";
import { faultsOfSidecars } from "../../core/documents/set/sidecars.ts";
import { istioDocument, trafficDocuments } from "../../test/support/traffic-documents.ts";
import { createRegistry } from "../registry/registry.ts";
import { documentsExportedTo } from "./exports.ts";
import { egressListenersOf } from "./sidecar-scope.ts";

// The check of the documents and the translation find a listener's services each by itself: they must agree, for any
// documents.

const NAMESPACES = ["shop", "office"] as const;
const HOSTS = [
  "redis",
  "redis.shop",
  "redis.office.svc.cluster.local",
  "a.example.com",
  "b.example.com",
] as const;
const IMPORTS = [
  "./*",
  "*/*",
  "shop/*",
  "office/*",
  "~/*",
  "./redis",
  "*/redis.shop",
  "*/*.example.com",
] as const;
const EXPORTS = [".", "*", "~", "shop", "office"] as const;
const PROTOCOLS = ["TCP", "tls", "HTTP", "redis", "GRPC", "HTTPS"] as const;

const namespace = fc.constantFrom(...NAMESPACES);
const number = fc.constantFrom(6379, 443);
const port = fc.record({ number, protocol: fc.constantFrom(...PROTOCOLS) });

const entry = fc.record({
  namespace,
  hosts: fc.uniqueArray(fc.constantFrom(...HOSTS), { minLength: 1, maxLength: 2 }),
  ports: fc.uniqueArray(port, { minLength: 1, maxLength: 2, selector: (each) => each.number }),
  exportTo: fc.option(fc.constantFrom(...EXPORTS)),
});

const kubernetes = fc.record({
  namespace,
  ports: fc.uniqueArray(fc.record({ port: number, name: fc.constantFrom("tcp-a", "http-b", "redis", "") }), {
    minLength: 1,
    maxLength: 2,
    selector: (each) => each.port,
  }),
  exportTo: fc.option(fc.constantFrom(...EXPORTS)),
});

const mesh = fc.record({
  entries: fc.array(entry, { maxLength: 4 }),
  services: fc.uniqueArray(kubernetes, { maxLength: 2, selector: (each) => each.namespace }),
  listener: port,
  hosts: fc.uniqueArray(fc.constantFrom(...IMPORTS), { minLength: 1, maxLength: 2 }).map((all) => {
    return all.includes("~/*") ? ["~/*"] : all;
  }),
});

type Mesh = typeof mesh extends fc.Arbitrary<infer M> ? M : never;

function textOf({ entries, services, listener, hosts }: Mesh): string {
  const ofEntries = entries.map(({ namespace: own, hosts: names, ports, exportTo }, index) =>
    istioDocument(
      "ServiceEntry",
      { name: `entry-${index}`, namespace: own },
      {
        hosts: names,
        ports: ports.map((each) => ({ ...each, name: `p-${each.number}` })),
        resolution: "DNS",
        ...(exportTo === null ? {} : { exportTo: [exportTo] }),
      },
    ),
  );
  const ofServices = services.map(({ namespace: own, ports, exportTo }) => {
    const annotations = exportTo === null ? {} : { "networking.istio.io/exportTo": exportTo };
    const metadata = { name: "redis", namespace: own, annotations };
    return `${JSON.stringify({ apiVersion: "v1", kind: "Service", metadata, spec: { ports } })}\n---\n`;
  });
  const egress = [{ port: listener, captureMode: "NONE", hosts }];
  const sidecar = istioDocument("Sidecar", { name: "default", namespace: "shop" }, { egress });
  return [...ofEntries, ...ofServices, sidecar].join("");
}

/** The kind of fault that a number of services is. */
function expectedFault(carried: string, served: number): string | undefined {
  if (served === 0) return "PURSER_REF_UNRESOLVED";
  return served > 1 && carried === "tcp" ? "PURSER_REF_UNSUITABLE" : undefined;
}

describe("the check of a Sidecar's listener", () => {
  it("finds the services that the sidecar will serve", () => {
    fc.assert(
      fc.property(mesh, (given) => {
        const text = textOf(given);
        const documents = documentsExportedTo("shop", trafficDocuments(text));
        const workload = { namespace: "shop", labels: {} };
        const [listener] = egressListenersOf(documents, createRegistry(documents), workload);
        assert.ok(listener !== undefined);
        const set = new DocumentSet(parseDocuments({ path: "test.yaml", text }).documents, true);
        const [fault, ...others] = faultsOfSidecars(set, "istio-system");
        assert.deepEqual(others, []);
        // A port of another kind of protocol is told as such.
        const isOtherKind = fault?.message.startsWith("Port ") === true;
        const code = isOtherKind ? "PURSER_REF_UNRESOLVED" : fault?.code;
        assert.equal(code, expectedFault(listener.carried, listener.services.length));
      }),
      { numRuns: 200 },
    );
  });
});
