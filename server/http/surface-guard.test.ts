// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { isPurserError } from "../../kernel/errors.ts";
import { createSurfaceGuard, requireJsonType, type SurfaceHeaders } from "./surface-guard.ts";

const loopback = createSurfaceGuard({ boundHost: "127.0.0.1" });
const configured = createSurfaceGuard({
  boundHost: "0.0.0.0",
  allowedHosts: ["mixer.example.com", ".internal.example.com"],
});
const everywhere = createSurfaceGuard({ boundHost: "0.0.0.0" });

describe("the guard of a control surface", () => {
  const HOSTS = [
    // Own names, in any form.
    ["127.0.0.1:9092", true],
    ["localhost:9092", true],
    ["LOCALHOST", true],
    ["localhost.", true],
    ["a.localhost:1", true],
    ["[::1]:9092", true],
    ["10.1.2.3", true],
    ["mixer:9092", true],
    ["mixer-1", true],
    // Names that a third party can register.
    ["evil.example", false],
    ["evil.example:9092", false],
    ["evil.example.", false],
    ["EVIL.example", false],
    ["127.0.0.1.evil.example", false],
    ["localhost.evil.example", false],
    ["evillocalhost.example", false],
    ["127.0.0.1.nip.io", false],
    // No Host at all.
    ["", false],
    ["[::1", false],
    ["::1", false],
    ["a b", false],
    ["user@localhost", false],
    ["localhost:9092/x", false],
    ["localhost, evil.example", false],
  ] as const;

  for (const [host, allowed] of HOSTS) {
    it(`${allowed ? "accepts" : "refuses"} the Host ${JSON.stringify(host)} on loopback`, () => {
      assert.equal(loopback({ host })?.code, allowed ? undefined : "PURSER_HOST_FORBIDDEN");
      assert.equal(everywhere({ host }), undefined);
    });
  }

  it("accepts any Host beyond loopback until names are configured, and then these only", () => {
    assert.equal(everywhere({ host: "mixer.purser.svc.cluster.local:9092" }), undefined);
    for (const host of ["mixer.example.com:9092", "a.internal.example.com", "10.0.0.1:9092", "mixer"])
      assert.equal(configured({ host }), undefined, host);
    for (const host of [
      "evil.example",
      "internal.example.com",
      "xinternal.example.com",
      "a.mixer.example.com",
    ])
      assert.equal(configured({ host })?.code, "PURSER_HOST_FORBIDDEN", host);
  });

  it("accepts an Origin only when it equals a known Host, on any address", () => {
    const cases: readonly [SurfaceHeaders, boolean][] = [
      [{ host: "localhost:9092", origin: "http://localhost:9092" }, true],
      [{ host: "127.0.0.1", origin: "http://127.0.0.1" }, true],
      [{ host: "mixer.example.com", origin: "https://mixer.example.com:443" }, true],
      [{ host: "localhost:9092", origin: "http://localhost:3000" }, false],
      [{ host: "localhost:9092", origin: "null" }, false],
      [{ host: "localhost:9092", origin: "" }, false],
      [{ host: "localhost:9092", origin: "file://localhost:9092" }, false],
      [{ host: "evil.example:9092", origin: "http://evil.example:9092" }, false],
      [{ host: "localhost:9092", origin: "http://evil.example" }, false],
      [{ host: "localhost:9092", origin: ["http://localhost:9092", "http://evil.example"] }, false],
      [{ origin: "http://localhost" }, false],
    ];
    for (const [headers, allowed] of cases)
      assert.equal(
        configured(headers)?.code,
        allowed ? undefined : "PURSER_ORIGIN_FORBIDDEN",
        JSON.stringify(headers),
      );
    const rebound = { host: "evil.example:9092", origin: "http://evil.example:9092" };
    assert.equal(everywhere(rebound)?.code, "PURSER_ORIGIN_FORBIDDEN");
  });

  it("accepts requests that a browser's user makes, and refuses cross-site ones", () => {
    for (const site of ["none", "same-origin"])
      assert.equal(loopback({ host: "localhost", "sec-fetch-site": site }), undefined);
    for (const site of ["cross-site", "same-site", "", "none, cross-site", "None"])
      assert.equal(
        loopback({ host: "localhost", "sec-fetch-site": site })?.code,
        "PURSER_ORIGIN_FORBIDDEN",
        site,
      );
  });

  it("never accepts a public name or a foreign origin", () => {
    const label = fc.stringMatching(/^[a-zA-Z0-9_-]{1,8}$/);
    const publicName = fc
      .tuple(label, label, fc.constantFrom("com", "example", "io", "1.net"), fc.constantFrom("", "."))
      .map(([a, b, top, dot]) => `${a}.${b}.${top}${dot}`);
    const portText = fc.constantFrom("", ":", ":80", ":9092");
    fc.assert(
      fc.property(publicName, portText, fc.constantFrom("http", "https"), (name, port, scheme) => {
        assert.equal(loopback({ host: name + port })?.code, "PURSER_HOST_FORBIDDEN");
        const origin = `${scheme}://${name}${port}`;
        for (const host of ["localhost:9092", name + port])
          assert.equal(everywhere({ host, origin })?.code, "PURSER_ORIGIN_FORBIDDEN");
      }),
    );
  });

  it("accepts JSON, and bodies without a content type", () => {
    const isTaken = (type: string | undefined): boolean => {
      try {
        requireJsonType(type === undefined ? {} : { "content-type": type });
        return true;
      } catch (error) {
        assert.ok(isPurserError(error) && error.code === "PURSER_CONTENT_TYPE");
        return false;
      }
    };
    const taken = [undefined, "application/json", "Application/JSON", 'application/json; charset="utf-8"'];
    for (const type of taken) assert.ok(isTaken(type), type);
    const refused = ["", "text/plain", "text/plain; application/json", "application/json, text/plain"];
    const others = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=application/json"];
    const encodings = ["application/jsonp", "application/json; charset=utf-16", "text/json"];
    for (const type of [...refused, ...others, ...encodings]) assert.ok(!isTaken(type), type);
  });
});
