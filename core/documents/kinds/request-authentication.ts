// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { parseDurationMs } from "../../../kernel/duration.ts";
import { headerNameFault } from "../../attributes/header-fields.ts";
import { KeySetFault, readKeySet } from "../../traffic/authentication/json-web-key-set.ts";
import { FORM_KEYWORD } from "../schema/form.ts";
import { Closed, Duration, REFUSED_KEYWORD } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";
import { shortDurationFaults } from "./short-duration.ts";
import { faultsOfTargets, TargetRefs } from "./target-refs.ts";
import { SelectedLabels } from "./traffic-fields.ts";

/** The longest `timeout`: a request waits as long for an issuer's keys. */
const MAX_TIMEOUT_MS = 60_000;

const HeaderName = (description: string) => Type.String({ minLength: 1, maxLength: 256, description });

const JwtRule = Closed({
  issuer: Type.String({
    minLength: 1,
    maxLength: 2_048,
    description: "The tokens' `iss` claim, compared exactly.",
  }),
  audiences: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description:
        "Accepted audiences: a token whose `aud` claim names none of them gets 403. Default: every audience.",
    }),
  ),
  jwksUri: Type.Optional(
    Type.String({
      pattern: "^https?://[^\\s/?#@]+([/?][^\\s#]*)?$",
      maxLength: 2_048,
      description: "URL of the issuer's keys, a JSON Web Key Set. Exactly one of jwksUri and jwks.",
      [FORM_KEYWORD]: "a URL such as https://issuer.example/jwks.json, without a user or a fragment",
    }),
  ),
  jwks: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 262_144,
      description: "The issuer's keys themselves: a JSON Web Key Set as JSON text.",
    }),
  ),
  fromHeaders: Type.Optional(
    Type.Array(
      Closed({
        name: HeaderName("The header's name, in any case."),
        prefix: Type.Optional(
          Type.String({
            maxLength: 64,
            description:
              "The text before the token, such as `Bearer ` with its space; compared without case. Default none.",
          }),
        ),
      }),
      {
        description:
          "Headers with the token. Default, when fromParams and fromCookies are absent too: `authorization` with `Bearer `, " +
          "and the query parameter access_token.",
      },
    ),
  ),
  fromParams: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
      description: "Query parameters with the token.",
    }),
  ),
  fromCookies: Type.Optional(
    Type.Array(
      Type.String({
        pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
        maxLength: 256,
        [FORM_KEYWORD]: "the name of a cookie",
      }),
      { description: "Cookies with the token." },
    ),
  ),
  outputPayloadToHeader: Type.Optional(
    HeaderName(
      "Request header for the verified payload, in base64url. Clients' own fields of the name are removed.",
    ),
  ),
  outputClaimToHeaders: Type.Optional(
    Type.Array(
      Closed({
        header: HeaderName("The header's name. Clients' own fields of the name are removed."),
        claim: Type.String({
          minLength: 1,
          maxLength: 256,
          description:
            "The claim, with dots into objects: `realm.role`. Claims that are lists, objects or absent write no header.",
        }),
      }),
      { maxItems: 64, description: "Claims to copy to request headers." },
    ),
  ),
  forwardOriginalToken: Type.Optional(
    Type.Boolean({ description: "Whether the upstream gets the token; default false: it is removed." }),
  ),
  timeout: Type.Optional(
    Duration(
      "Longest time of a fetch of jwksUri, and longest wait of a request for one; 1ms to 60s; default 5s.",
    ),
  ),
  spaceDelimitedClaims: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
      maxItems: 64,
      description:
        "Claims whose texts policies see as lists, divided at spaces, such as scope. Default none: `scope` stays one text.",
    }),
  ),
});

export type JwtRuleSpec = Static<typeof JwtRule>;

const RequestAuthenticationSpec = Closed(
  {
    selector: Type.Optional(
      Closed(
        { matchLabels: SelectedLabels() },
        {
          description:
            'The workloads of the namespace; all of them when absent. The label istio: "ingressgateway" selects the edge.',
        },
      ),
    ),
    targetRefs: TargetRefs(),
    jwtRules: Type.Array(JwtRule, {
      minItems: 1,
      maxItems: 64,
      description: "The issuers whose tokens are accepted, each with its keys.",
    }),
  },
  {
    [REFUSED_KEYWORD]: {
      targetRef: "it is the old form of targetRefs; write targetRefs: [{ group, kind, name }]",
    },
  },
);

export type RequestAuthenticationSpec = Static<typeof RequestAuthenticationSpec>;

export const REQUEST_AUTHENTICATION = {
  kind: "RequestAuthentication",
  apiVersions: ["security.istio.io/v1", "security.istio.io/v1beta1"],
  description:
    "Verifies users' JSON Web Tokens: a request with an invalid token gets 401, one without a token goes on without `request.auth`.",
  spec: RequestAuthenticationSpec,
  check: checkRequestAuthentication,
} as const satisfies KindDefinition;

type Path = readonly (string | number)[];

function checkRequestAuthentication(spec: RequestAuthenticationSpec): readonly SpecFault[] {
  return [...faultsOfTargets(spec), ...spec.jwtRules.flatMap(faultsOfRule)];
}

function faultsOfRule(rule: JwtRuleSpec, index: number): readonly SpecFault[] {
  const path = ["jwtRules", index];
  return [
    ...faultsOfKeys(rule, path),
    ...faultsOfTimeout(rule, path),
    ...faultsOfOutputs(rule, path),
    ...(rule.fromHeaders ?? []).flatMap(({ name }, at) =>
      nameFaults(name, [...path, "fromHeaders", at, "name"]),
    ),
  ];
}

function faultsOfKeys({ issuer, jwks, jwksUri, timeout }: JwtRuleSpec, path: Path): readonly SpecFault[] {
  if (jwks === undefined && jwksUri === undefined)
    return [
      {
        path,
        message: `The keys of ${JSON.stringify(issuer)} are not looked up by its OpenID configuration: write jwksUri (the jwks_uri in ISSUER/.well-known/openid-configuration) or jwks`,
      },
    ];
  if (jwks === undefined) return [];
  if (jwksUri !== undefined)
    return [{ path: [...path, "jwks"], message: "Exactly one of jwksUri and jwks must be given" }];
  const useless: readonly SpecFault[] =
    timeout === undefined
      ? []
      : [{ path: [...path, "timeout"], message: "timeout has no effect beside jwks; it is about jwksUri" }];
  return [...useless, ...faultsOfKeySet(jwks, [...path, "jwks"])];
}

/** Whoever writes keys in a document wants each of them to count, so a key that cannot be read is a fault. */
function faultsOfKeySet(jwks: string, path: Path): readonly SpecFault[] {
  const contents = readKeySet(jwks, "accepted");
  if (contents instanceof KeySetFault) return [{ path, message: `The key set ${contents.reason}` }];
  const { keys, unused } = contents;
  const faults = unused
    .filter(({ why }) => why === "malformed")
    .map(({ index, reason }) => ({ path, message: `keys[${index}] ${reason}` }));
  if (faults.length > 0 || keys.length > 0) return faults;
  const reasons = unused.map(({ index, reason }) => `keys[${index}] ${reason}`);
  return [{ path, message: ["The key set has no key that verifies signatures", ...reasons].join("; ") }];
}

function faultsOfTimeout({ timeout }: JwtRuleSpec, path: Path): readonly SpecFault[] {
  const where = [...path, "timeout"];
  const short = shortDurationFaults(timeout, where);
  return short.length === 0 && (parseDurationMs(timeout ?? "") ?? 0) > MAX_TIMEOUT_MS
    ? [{ path: where, message: "timeout must be at most 60s: requests wait as long for the keys" }]
    : short;
}

/** A header that brings the token must not be overwritten: the token would be lost, or never removed. */
function faultsOfOutputs(rule: JwtRuleSpec, path: Path): readonly SpecFault[] {
  const { outputPayloadToHeader, outputClaimToHeaders = [] } = rule;
  const isDefault = (rule.fromHeaders ?? rule.fromParams ?? rule.fromCookies) === undefined;
  const sources = isDefault
    ? ["authorization"]
    : (rule.fromHeaders ?? []).map(({ name }) => name.toLowerCase());
  const taken = new Set<string>();
  const outputs: readonly (readonly [name: string, where: Path])[] = [
    ...(outputPayloadToHeader === undefined
      ? []
      : [[outputPayloadToHeader, [...path, "outputPayloadToHeader"]] as const]),
    ...outputClaimToHeaders.map(
      ({ header }, index) => [header, [...path, "outputClaimToHeaders", index, "header"]] as const,
    ),
  ];
  return outputs.flatMap(([name, where]): readonly SpecFault[] => {
    const faults = nameFaults(name, where);
    if (faults.length > 0) return faults;
    const key = name.toLowerCase();
    if (sources.includes(key))
      return [{ path: where, message: `The header ${name} brings the token; write another` }];
    if (taken.has(key)) return [{ path: where, message: `The header ${name} is written twice` }];
    taken.add(key);
    return [];
  });
}

function nameFaults(name: string, path: Path): readonly SpecFault[] {
  const message = headerNameFault(name);
  return message === undefined ? [] : [{ path, message }];
}
