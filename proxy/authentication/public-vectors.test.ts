// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readSignedText } from "../../core/traffic/authentication/compact-token.ts";
import { readKeySet, KeySetFault } from "../../core/traffic/authentication/json-web-key-set.ts";
import { KeySet } from "./key-set.ts";

// Public test vectors of signed texts: which are accepted, and which refused.

/** "It’s a dangerous business, Frodo, …": the payload of RFC 7520. */
const FRODO =
  "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";
/** {"iss":"joe", "exp":1300819380, "http://example.com/is_root":true}: the payload of RFC 7515 and RFC 7519. */
const JOE = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

const BILBO_RSA = {
  kty: "RSA",
  kid: "bilbo.baggins@hobbiton.example",
  use: "sig",
  n: "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw",
  e: "AQAB",
};
const BILBO_EC = {
  kty: "EC",
  kid: "bilbo.baggins@hobbiton.example",
  use: "sig",
  crv: "P-521",
  x: "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt",
  y: "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1",
};
const JOES_SECRET = {
  kty: "oct",
  k: "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
};

interface Vector {
  readonly source: string;
  readonly key: object;
  readonly text: string;
}

const ACCEPTED: readonly Vector[] = [
  {
    source: "RFC 7515, A.1: HS256",
    key: JOES_SECRET,
    text: `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${JOE}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`,
  },
  {
    source: "RFC 7515, A.3: ES256",
    key: {
      kty: "EC",
      crv: "P-256",
      x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
      y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    },
    text: `eyJhbGciOiJFUzI1NiJ9.${JOE}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q`,
  },
  {
    source: "RFC 7515, A.4: ES512",
    key: {
      kty: "EC",
      crv: "P-521",
      x: "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
      y: "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
    },
    text: "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
  },
  {
    source: "RFC 7520, 4.1: RS256",
    key: BILBO_RSA,
    text: `eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.${FRODO}.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg`,
  },
  {
    source: "RFC 7520, 4.2: PS384",
    key: BILBO_RSA,
    text: `eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.${FRODO}.cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw`,
  },
  {
    source: "RFC 7520, 4.3: ES512",
    key: BILBO_EC,
    text: `eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.${FRODO}.AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2`,
  },
  {
    source: "RFC 7520, 4.4: HS256",
    key: {
      kty: "oct",
      kid: "018c0ae5-4d9b-471b-bfd6-eef314bc7037",
      use: "sig",
      alg: "HS256",
      k: "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
    },
    text: `eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9.${FRODO}.s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0`,
  },
  {
    source: "RFC 8037, A.4: EdDSA",
    key: { kty: "OKP", use: "sig", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
    text: "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
  },
];

const HS_KEY = {
  alg: "HS256",
  use: "sig",
  k: "-ebuDNsVZ2iJtoZ-akfXTSCt4UO2cruLCsbWlBinggE",
  kid: "kid-aes-sign",
  kty: "oct",
};
const HS_HEADER = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC1hZXMtc2lnbiJ9";
const HS_SIGNATURE = "TD37p4c_0jmreSrBSDmE0F3mYSPtkZ3WrSyI5wb_KTg";
const ES_KEY = {
  alg: "ES256",
  use: "sig",
  x: "04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY",
  y: "UI8exy-C06a7DUnjIdENkxeFtHM4-l_41LqEw9nVgmw",
  crv: "P-256",
  kid: "kid-ec-sign",
  kty: "EC",
};
const ES_HEADER = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0";
const ES_SIGNATURE = "5cA0OHyMP7ezamUd5c9kV-FrGxdx4hbGXOdplQkutrqWrte5P-pAvsE3Ve6xSyU3YDQwUHjVVOtvcrEbbnZ8yA";

/** The texts that Wycheproof's groups of the JSON Web Signature make of a valid one: `foo` as Zm9v. */
const damaged = (header: string, otherHeader: string, signature: string): readonly string[] => [
  `${header}.Zm9v.X${signature.slice(1)}`,
  `${header}.Zm9v.`,
  `${header}.Zm9v`,
  `${header}.WG9v.${signature}`,
  `${header}..${signature}`,
  `${header}.${signature}`,
  `${otherHeader}.Zm9v.${signature}`,
  `.Zm9v.${signature}`,
  `Zm9v.${signature}`,
  ".Zm9v.",
  "Zm9v",
  "",
  `${header}.Zm9v.${signature}.`,
  `${header}.Zm9v.${signature}.foo`,
];

const REFUSED: readonly Vector[] = [
  {
    source: "RFC 7515, A.5, and RFC 7519, 6.1: none",
    key: JOES_SECRET,
    text: `eyJhbGciOiJub25lIn0.${JOE}.`,
  },
  {
    source: "RFC 7797: an unencoded payload",
    key: JOES_SECRET,
    text: "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19.This is the payload string!.ciks0B6Hs-amhOqxI5_iG6mPKnMDlWCb7J2Wu7mtIcg",
  },
  ...damaged(HS_HEADER, "eyJhbGciOiJIUzI1NiIsImtpZCI6IlhpZC1hZXMtc2lnbiJ9", HS_SIGNATURE).map((text) => ({
    source: "Wycheproof, JSON Web Signature, hs256",
    key: HS_KEY,
    text,
  })),
  ...damaged(ES_HEADER, "eyJhbGciOiJFUzI1NiIsImtpZCI6IlhpZC1lYy1zaWduIn0", ES_SIGNATURE).map((text) => ({
    source: "Wycheproof, JSON Web Signature, es256",
    key: ES_KEY,
    text,
  })),
  {
    source: "Wycheproof, tcId 16: none without a signature",
    key: HS_KEY,
    text: "eyJhbGciOiJub25lIiwia2lkIjoia2lkLWFlcy1zaWduIn0.Zm9v.",
  },
  {
    source: "Wycheproof, tcId 17: the JSON serialization",
    key: HS_KEY,
    text: `{"payload":"Zm9v","signatures":[{"protected":"${HS_HEADER}","header":{"unknown":"untrustworthy"},"signature":"${HS_SIGNATURE}"}`,
  },
  {
    source: "Wycheproof, tcId 31: HS256 by the bytes of a public key",
    key: ES_KEY,
    text: "eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v.TgWtz2FIRukBQ_mA5sgHa0Ybtgn7bl-YBPAi7Z0XdHU",
  },
  {
    source: "Wycheproof, tcId 32: the attacker's key in the header",
    key: ES_KEY,
    text: "eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIiwiandrIjp7Imt0eSI6IkVDIiwia2lkIjoia2lkLWVjLXNpZ24iLCJ1c2UiOiJzaWciLCJhbGciOiJFUzI1NiIsIngiOiJNZG5UWkRJaERKYmZBU2RGcWFtY3BPMkNoOUdOS0sybTBNUWxoNDAyU3BvIiwieSI6Ijdhdko0bHFfV3l4LW5MUERCUTJZcHl0dUh5TWlvMDdCVXl2bDNqYUMtMVkiLCJjcnYiOiJQLTI1NiJ9fQ.Zm9v.4jmsollQD8ZxvySzXYnIEYA4fwaZi2ZbC0aI1J4LYmW2Bn31NhKdjms2N6o51Dff5-InWXQF9m45VtTexl6yjg",
  },
];

const WYCHEPROOF_VALID: readonly Vector[] = [
  { source: "Wycheproof, tcId 1", key: HS_KEY, text: `${HS_HEADER}.Zm9v.${HS_SIGNATURE}` },
  { source: "Wycheproof, tcId 18", key: ES_KEY, text: `${ES_HEADER}.Zm9v.${ES_SIGNATURE}` },
];

async function accepts(key: object, text: string): Promise<boolean> {
  const contents = readKeySet(JSON.stringify({ keys: [key] }), "accepted");
  assert.ok(!(contents instanceof KeySetFault) && contents.keys.length === 1);
  const signed = readSignedText(text);
  return typeof signed !== "string" && (await new KeySet(contents.keys).verify(signed)) === "verified";
}

describe("public vectors of signed texts", () => {
  for (const { source, key, text } of [...ACCEPTED, ...WYCHEPROOF_VALID])
    it(`accepts ${source}`, async () => assert.ok(await accepts(key, text)));

  for (const [index, { source, key, text }] of REFUSED.entries())
    it(`refuses ${source} (${index})`, async () => assert.ok(!(await accepts(key, text))));

  it("refuses each accepted one with another vector's key", async () => {
    for (const { key, text } of ACCEPTED)
      for (const other of ACCEPTED)
        if (other.key !== key) assert.ok(!(await accepts(other.key, text)), `${other.source} for ${text}`);
  });
});
