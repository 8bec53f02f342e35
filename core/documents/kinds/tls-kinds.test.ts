// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { formatDiagnostic } from "../../../kernel/diagnostic.ts";
import { parseDocuments } from "../parse-documents.ts";

/** The faults of a document of `kind` with this spec, each with the line of the field at fault. */
function faultsOf(kind: string, spec: unknown): readonly string[] {
  const text = JSON.stringify({
    apiVersion: "networking.istio.io/v1",
    kind,
    metadata: { name: "x" },
    spec,
  });
  return parseDocuments({ path: "x", text }).diagnostics.map((diagnostic) =>
    formatDiagnostic(diagnostic).replace(/^x:\d+:\d+: error: /, ""),
  );
}

const FILES = { serverCertificate: "/c/tls.crt", privateKey: "/c/tls.key" };
const gateway = (tls: object | undefined, protocol = "HTTPS") =>
  faultsOf("Gateway", {
    servers: [{ port: { number: 443, name: "https", protocol }, hosts: ["*"], ...(tls && { tls }) }],
  });

const rule = (tls: object) => faultsOf("DestinationRule", { host: "a", trafficPolicy: { tls } });

describe("TLS of a Gateway's servers", () => {
  it("is accepted by each supported mode, with files or a credential", () => {
    const all = {
      minProtocolVersion: "TLSV1_2",
      maxProtocolVersion: "TLSV1_3",
      cipherSuites: ["ECDHE-RSA-AES256-GCM-SHA384"],
    };
    for (const tls of [
      { mode: "SIMPLE", ...FILES, ...all },
      { mode: "SIMPLE", credentialName: "shop", httpsRedirect: false },
      { mode: "MUTUAL", ...FILES, caCertificates: "/c/ca.crt" },
      { mode: "OPTIONAL_MUTUAL", credentialName: "shop.example-1" },
    ])
      assert.deepEqual(gateway(tls), [], JSON.stringify(tls));
    assert.deepEqual(gateway({ httpsRedirect: true }, "HTTP"), []);
  });

  it("is refused where it cannot work, with the reason", () => {
    const cases: readonly (readonly [object | undefined, RegExp, string?])[] = [
      [undefined, /needs tls/],
      [{}, /needs tls.mode/],
      [{ ...FILES }, /needs tls.mode/],
      [{ mode: "PASSTHROUGH", ...FILES }, /privateKey has no effect with the mode PASSTHROUGH/],
      [{ mode: "PASSTHROUGH", httpsRedirect: true }, /httpsRedirect has no effect/, "TLS"],
      [{ mode: "SIMPLE", credentialName: "a" }, /mode has no effect with the protocol TCP/, "TCP"],
      [{ mode: "AUTO_PASSTHROUGH" }, /AUTO_PASSTHROUGH is not supported/],
      [{ mode: "ISTIO_MUTUAL" }, /ISTIO_MUTUAL is not supported: proxies have no certificates of a mesh/],
      [{ mode: "SIMPLE" }, /needs credentialName, or serverCertificate and privateKey/],
      [{ mode: "SIMPLE", serverCertificate: "a" }, /needs credentialName/],
      [{ mode: "SIMPLE", ...FILES, caCertificates: "ca" }, /caCertificates has no effect .*use MUTUAL/],
      [{ mode: "MUTUAL", ...FILES }, /needs caCertificates/],
      [
        { mode: "SIMPLE", credentialName: "shop", privateKey: "k" },
        /privateKey has no effect beside credentialName/,
      ],
      [{ mode: "SIMPLE", ...FILES, httpsRedirect: true }, /httpsRedirect has no effect/],
      [{ mode: "SIMPLE", ...FILES, minProtocolVersion: "TLSV1_1" }, /TLS_AUTO, TLSV1_2 or TLSV1_3/],
      [
        { mode: "SIMPLE", ...FILES, minProtocolVersion: "TLSV1_3", maxProtocolVersion: "TLSV1_2" },
        /older than minProtocolVersion/,
      ],
      [{ mode: "SIMPLE", ...FILES, cipherSuites: ["RC4-SHA"] }, /ECDHE-ECDSA-AES128-GCM-SHA256/],
      [{ mode: "SIMPLE", ...FILES, subjectAltNames: ["a"] }, /UNKNOWN_FIELD/],
      [{ mode: "SIMPLE" }, /mode has no effect with the protocol HTTP/, "HTTP"],
    ];
    for (const [tls, expected, protocol] of cases) {
      const faults = gateway(tls, protocol);
      assert.ok(
        faults.some((fault) => expected.test(fault)),
        `${JSON.stringify(tls)}: ${faults.join("; ")}`,
      );
    }
  });

  it("names a credential by a folder's name, and no path", () => {
    for (const credentialName of ["..", "../up", "a/b", "/abs", "", ".hidden", "A", "a\\b", "a\0"])
      assert.equal(gateway({ mode: "SIMPLE", credentialName }).length, 1, credentialName);
  });
});

describe("TLS of a DestinationRule", () => {
  it("is accepted by each supported mode", () => {
    for (const tls of [
      { mode: "DISABLE" },
      { mode: "SIMPLE" },
      { mode: "SIMPLE", caCertificates: "/c/ca.crt", sni: "a.example", subjectAltNames: ["spiffe://x/y"] },
      { mode: "SIMPLE", insecureSkipVerify: true },
      { mode: "MUTUAL", clientCertificate: "c", privateKey: "k" },
      { mode: "MUTUAL", credentialName: "edge" },
      { mode: "ISTIO_MUTUAL" },
      { mode: "ISTIO_MUTUAL", sni: "a.example", subjectAltNames: ["spiffe://x/y"] },
    ])
      assert.deepEqual(rule(tls), [], JSON.stringify(tls));
  });

  it("is refused where it cannot work, with the reason, for subsets too", () => {
    const cases: readonly (readonly [object, RegExp])[] = [
      [{}, /mode/],
      [
        { mode: "ISTIO_MUTUAL", credentialName: "a" },
        /credentialName has no effect .*proxy's own certificate/,
      ],
      [{ mode: "ISTIO_MUTUAL", insecureSkipVerify: true }, /insecureSkipVerify has no effect/],
      [{ mode: "DISABLE", sni: "a" }, /sni has no effect with the mode DISABLE/],
      [{ mode: "SIMPLE", clientCertificate: "c" }, /clientCertificate has no effect .*use MUTUAL/],
      [
        { mode: "MUTUAL", clientCertificate: "c" },
        /needs credentialName, or clientCertificate and privateKey/,
      ],
      [{ mode: "MUTUAL", credentialName: "a", caCertificates: "c" }, /caCertificates has no effect/],
      [{ mode: "SIMPLE", insecureSkipVerify: true, subjectAltNames: ["a"] }, /subjectAltNames has no effect/],
    ];
    for (const [tls, expected] of cases) assert.match(rule(tls).join("; "), expected, JSON.stringify(tls));
    const subsets = [{ name: "v1", trafficPolicy: { tls: { mode: "DISABLE", sni: "a" } } }];
    assert.match(faultsOf("DestinationRule", { host: "a", subsets }).join(), /sni has no effect/);
  });
});
