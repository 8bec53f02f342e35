// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { decodeBase64Url } from "../../core/traffic/authentication/base64url.ts";
import type { TokenRefusal } from "../../core/traffic/authentication/token-refusal.ts";
import type { JwtRule } from "../../core/traffic/resources/request-authentication.ts";
import { Authenticator } from "./authenticator.ts";
import { encoded, issuerOf, type KeyKind, NOW_MS, ruleOf } from "./issuer-rig.test.ts";
import { JwksSources } from "./jwks/jwks-sources.ts";

const PLACE = { kind: "header", name: "authorization", prefix: "Bearer " } as const;
const NO_SOURCES = new JwksSources(undefined as unknown as ConstructorParameters<typeof JwksSources>[0]);

const ISSUER = issuerOf("https://issuer.example");

/** @returns The principal of a verified token, or the reason of its refusal. */
async function look(text: string, rules: readonly JwtRule[], nowMs = NOW_MS): Promise<unknown> {
  const authenticator = new Authenticator({ rules }, NO_SOURCES, { nowMs: () => nowMs });
  const result = await authenticator.verify({ text, place: PLACE });
  return result.kind === "verified" ? result.authentication.attributes["principal"] : result.refusal;
}

describe("a token", () => {
  for (const kind of ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"] satisfies KeyKind[])
    it(`with ${kind} is verified, and refused after a change of any one bit`, async function () {
      this.timeout(20_000);
      const issuer = issuerOf("https://issuer.example", kind);
      const token = issuer.token();
      const authenticator = new Authenticator({ rules: [ruleOf(issuer)] }, NO_SOURCES, {
        nowMs: () => NOW_MS,
      });
      const whole = await authenticator.verify({ text: token, place: PLACE });
      assert.equal(whole.kind, "verified");
      await fc.assert(
        fc.asyncProperty(fc.nat(token.length * 8 - 1), async (bit) => {
          const bytes = Buffer.from(token, "latin1");
          bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
          const changed = await authenticator.verify({ text: bytes.toString("latin1"), place: PLACE });
          assert.equal(changed.kind, "refused");
        }),
        { numRuns: 200 },
      );
    });

  it("with a last character of unused bits is one token alone", async () => {
    const token = ISSUER.token();
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const same = alphabet.split("").map((last) => token.slice(0, -1) + last);
    const results = await Promise.all(same.map((text) => look(text, [ruleOf(ISSUER)])));
    assert.equal(results.filter((result) => result === "https://issuer.example/ann").length, 1);
  });

  const other = issuerOf("https://issuer.example");
  const rsa = issuerOf("https://issuer.example", "RS256");
  const unsigned = (header: object): string => `${encoded(header)}.${ISSUER.token().split(".")[1]}.`;
  const hmac = (secret: string): string => {
    const input = `${encoded({ alg: "HS256", kid: rsa.keyId })}.${rsa.token().split(".")[1]}`;
    return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
  };

  const refusals: readonly (readonly [what: string, token: string, refusal: TokenRefusal])[] = [
    ["without a signature", ISSUER.token().replace(/[^.]*$/, ""), "format"],
    ["of alg none", unsigned({ alg: "none" }), "algorithm"],
    ["of alg None", unsigned({ alg: "None" }), "algorithm"],
    ["of alg nOnE with a signature", `${unsigned({ alg: "nOnE" })}AAAA`, "algorithm"],
    ["of no alg", `${unsigned({})}AAAA`, "algorithm"],
    ["of an alg that is a list", `${unsigned({ alg: ["ES256"] })}AAAA`, "algorithm"],
    ["of alg es256", ISSUER.token({}, { alg: "es256" }), "algorithm"],
    ["of another algorithm than the key's", ISSUER.token({}, { alg: "ES384" }), "no_key"],
    ["of another key with the same id", other.token(), "signature"],
    ["of an unknown key id", ISSUER.token({}, { kid: "key-2" }), "no_key"],
    ["of a key id with a path", ISSUER.token({}, { kid: "../../dev/null" }), "no_key"],
    ["of a key id that is a number", ISSUER.token({}, { kid: 1 }), "header"],
    ["with its own key", other.token({}, { jwk: other.jwk, kid: undefined }), "signature"],
    [
      "with a URL of keys",
      other.token({}, { jku: "https://evil.example/jwks", kid: undefined }),
      "signature",
    ],
    ["with a certificate", other.token({}, { x5u: "https://evil.example", x5c: ["AAAA"] }), "signature"],
    ["with an unknown extension", ISSUER.token({}, { crit: ["x"], x: 1 }), "critical"],
    ["with an empty list of extensions", ISSUER.token({}, { crit: [] }), "critical"],
    ["with an unencoded payload", ISSUER.token({}, { b64: false, crit: ["b64"] }), "critical"],
    ["with b64 alone", ISSUER.token({}, { b64: false }), "critical"],
    ["with a fourth part", `${ISSUER.token()}.AAAA`, "format"],
    ["with five parts, as an encrypted one has", "e30.AA.AA.AA.AA", "format"],
    ["with a dot at its end", `${ISSUER.token()}.`, "format"],
    ["with padding", `${ISSUER.token()}=`, "format"],
    ["with a space within", ISSUER.token().replace(".", ". "), "payload"],
    ["with a line break", ISSUER.token().replace(".", "\n."), "header"],
    ["with characters of base64", ISSUER.token().replace(/[^.]*$/, "+/+/"), "format"],
    ["of nothing", "", "format"],
    ["of dots", "..", "format"],
    ["with a header that is a list", `${encoded([])}.e30.AAAA`, "header"],
    ["with a header that is no JSON", `${encoded("{")}.e30.AAAA`, "header"],
    ["with a header that is no UTF-8", "_w.e30.AAAA", "header"],
    ["with a payload that is text", `${encoded({ alg: "ES256" })}.${encoded('"a"')}.AAAA`, "payload"],
    ["with a payload that is null", `${encoded({ alg: "ES256" })}.${encoded("null")}.AAAA`, "payload"],
    [
      "with a payload of depth 10,000",
      `${encoded({ alg: "ES256" })}.${encoded(`{"a":${"[".repeat(5_000)}${"]".repeat(5_000)}}`)}.AAAA`,
      "payload",
    ],
    ["with a claim __proto__", `${encoded({ alg: "ES256" })}.${encoded('{"__proto__":{}}')}.AAAA`, "payload"],
    ["with half a character", ISSUER.token({ sub: "\ud800" }), "payload"],
    ["with an infinite number", `${encoded({ alg: "ES256" })}.${encoded('{"exp":1e999}')}.AAAA`, "payload"],
    ["of 20,000 characters", ISSUER.token({ x: "x".repeat(20_000) }), "too_long"],
    ["of another issuer", issuerOf("https://other.example").token(), "issuer"],
    ["of an issuer with a slash more", ISSUER.token({ iss: "https://issuer.example/" }), "issuer"],
    ["of an issuer in capitals", ISSUER.token({ iss: "HTTPS://issuer.example" }), "issuer"],
    ["of no issuer", ISSUER.token({ iss: undefined }), "issuer"],
    ["of an issuer that is a list", ISSUER.token({ iss: ["https://issuer.example"] }), "claims"],
    ["with a subject that is a number", ISSUER.token({ sub: 7 }), "claims"],
    ["with an exp that is text", ISSUER.token({ exp: "9999999999" }), "claims"],
    ["with a negative exp", ISSUER.token({ exp: -1 }), "claims"],
    ["with an nbf that is null", ISSUER.token({ nbf: null }), "claims"],
    ["with an iat that is text", ISSUER.token({ iat: "now" }), "claims"],
    ["with an aud that is an object", ISSUER.token({ aud: {} }), "claims"],
    ["with an aud of numbers", ISSUER.token({ aud: [1] }), "claims"],
  ];
  for (const [what, token, refusal] of refusals)
    it(`${what} is refused: ${refusal}`, async () =>
      assert.equal(await look(token, [ruleOf(ISSUER)]), refusal));

  it("signed by HMAC with a public RSA key as the secret is refused", async () => {
    const { n } = rsa.jwk as { readonly n: string };
    for (const secret of [n, JSON.stringify(rsa.jwk), Buffer.from(n, "base64url").toString("latin1")])
      assert.equal(await look(hmac(secret), [ruleOf(rsa)]), "no_key");
  });

  it("counts by exp and nbf, with 60 s for the issuer's clock", async () => {
    const seconds = NOW_MS / 1_000;
    const at = (claims: object) => look(ISSUER.token(claims), [ruleOf(ISSUER)]);
    assert.equal(await at({ exp: seconds - 60 }), "expired");
    assert.equal(await at({ exp: seconds - 59 }), "https://issuer.example/ann");
    assert.equal(await at({ nbf: seconds + 61 }), "not_yet_valid");
    assert.equal(await at({ nbf: seconds + 60 }), "https://issuer.example/ann");
    assert.equal(await at({ exp: undefined }), "https://issuer.example/ann");
    assert.equal(await at({ iat: seconds + 86_400 }), "https://issuer.example/ann");
  });

  it("needs one of the rule's audiences", async () => {
    const rules = [ruleOf(ISSUER, { audiences: ["shop", "books"] })];
    assert.equal(await look(ISSUER.token({ aud: "books" }), rules), "https://issuer.example/ann");
    assert.equal(await look(ISSUER.token({ aud: ["x", "shop"] }), rules), "https://issuer.example/ann");
    for (const aud of ["shops", "SHOP", [], undefined, ["x"]])
      assert.equal(await look(ISSUER.token({ aud }), rules), "audience");
  });

  it("is verified by the second rule of its issuer when the first refuses it", async () => {
    const rules = [ruleOf(other), ruleOf(ISSUER, { spaceDelimitedClaims: ["scope"] })];
    assert.equal(await look(ISSUER.token(), rules), "https://issuer.example/ann");
    assert.equal(await look(other.token(), rules), "https://issuer.example/ann");
    assert.equal(await look(ISSUER.token({}, { kid: "key-9" }), rules), "no_key");
  });

  it("without a key id is tried with each key, and with a key without an id too", async () => {
    const keys = [rsa.jwk, other.jwk, { ...ISSUER.jwk, kid: undefined }];
    const rules = [ruleOf({ name: ISSUER.name, jwks: JSON.stringify({ keys }) })];
    for (const token of [ISSUER.token({}, { kid: "unknown" }), ISSUER.token({}, { kid: undefined })])
      assert.equal(await look(token, rules), "https://issuer.example/ann");
  });

  it("becomes the attributes request.auth, and headers", async () => {
    const claims = {
      aud: ["shop", "books"],
      azp: "app",
      scope: "read  write",
      groups: ["staff"],
      realm: { role: "chief" },
      admin: true,
    };
    const token = ISSUER.token(claims);
    const rule = ruleOf(ISSUER, {
      payloadHeader: "x-payload",
      spaceDelimitedClaims: ["scope", "missing"],
      claimHeaders: ["sub", "realm.role", "admin", "groups", "exp", "none.such"].map((claim) => ({
        header: `x-${claim}`,
        claim,
      })),
    });
    const authenticator = new Authenticator({ rules: [rule] }, NO_SOURCES, { nowMs: () => NOW_MS });
    const result = await authenticator.verify({ text: token, place: PLACE });
    assert.ok(result.kind === "verified" && !result.isCached);
    const { attributes, headers, refusedFromMs } = result.authentication;
    const payload = token.split(".")[1] as string;
    assert.deepEqual(attributes, {
      principal: "https://issuer.example/ann",
      audiences: ["shop", "books"],
      presenter: "app",
      raw_claims: Buffer.from(payload, "base64url").toString(),
      claims: {
        iss: "https://issuer.example",
        sub: "ann",
        exp: NOW_MS / 1_000 + 3_600,
        ...claims,
        scope: ["read", "write"],
      },
    });
    assert.deepEqual(headers, [
      ["x-sub", "ann"],
      ["x-realm.role", "chief"],
      ["x-admin", "true"],
      ["x-exp", String(NOW_MS / 1_000 + 3_600)],
      ["x-payload", payload],
    ]);
    assert.equal(refusedFromMs, NOW_MS + 3_660_000);
  });

  it("without a subject has no principal", async () => {
    assert.equal(await look(ISSUER.token({ sub: undefined }), [ruleOf(ISSUER)]), undefined);
    assert.equal(await look(ISSUER.token({ sub: "" }), [ruleOf(ISSUER)]), undefined);
  });

  it("is remembered until it ends, for its own place alone", async () => {
    let nowMs = NOW_MS;
    const cookie = { kind: "cookie", name: "session" } as const;
    const rules = [
      ruleOf(ISSUER, { places: [PLACE] }),
      ruleOf(issuerOf("https://other.example"), { places: [cookie] }),
    ];
    const authenticator = new Authenticator({ rules }, NO_SOURCES, { nowMs: () => nowMs });
    const text = ISSUER.token();
    await authenticator.verify({ text, place: PLACE });
    const again = authenticator.verify({ text, place: PLACE });
    assert.ok(!(again instanceof Promise) && again.kind === "verified" && again.isCached);
    assert.deepEqual(await authenticator.verify({ text, place: cookie }), {
      kind: "refused",
      refusal: "issuer",
    });
    assert.equal((await authenticator.verify({ text: `${text} `, place: PLACE })).kind, "refused");
    nowMs = NOW_MS + 3_660_000;
    for (let round = 0; round < 2; round++)
      assert.deepEqual(await authenticator.verify({ text, place: PLACE }), {
        kind: "refused",
        refusal: "expired",
      });
  });
});

describe("base64url", () => {
  it("is decoded as Buffer does, in its canonical text alone", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        assert.deepEqual(decodeBase64Url(Buffer.from(bytes).toString("base64url")), bytes);
      }),
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        const decoded = decodeBase64Url(text);
        if (decoded !== undefined) assert.equal(Buffer.from(decoded).toString("base64url"), text);
      }),
    );
  });
});
