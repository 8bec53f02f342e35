// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import {
  DEFAULT_PATH_NORMALIZATION,
  PATH_NORMALIZATIONS,
  type PathNormalization,
} from "../../../kernel/canonical/path.ts";
import { B3_FORMS } from "../../traffic/resources/listener.ts";
import { FORM_KEYWORD } from "../schema/form.ts";
import { Choice, Closed } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";
import { faultsOfLimits, LimitsSpec } from "./listener-limits.ts";
import { LABEL } from "./traffic-fields.ts";
import { faultsOfRateLimitHeaders, RateLimitHeadersSpec } from "./rate-limit-headers.ts";

function TrustDomain(description: string) {
  return Type.String({
    // The SPIFFE ID standard, section 2.1.
    pattern: "^[a-z0-9._-]+$",
    maxLength: 255,
    description,
    [FORM_KEYWORD]: "a trust domain in lower case, such as cluster.local",
  });
}

const MeshConfigSpec = Closed({
  pathNormalization: Type.Optional(
    Closed(
      {
        normalization: Choice(
          PATH_NORMALIZATIONS,
          "`NONE`: paths are unchanged, and policies on paths can be bypassed. `BASE`: escapes of unreserved characters " +
            "are decoded, `\\` is `/`, dot segments are resolved. `MERGE_SLASHES` (default): BASE, and `//` is `/`. " +
            "`DECODE_AND_MERGE_SLASHES`: `%2F` and `%5C` are `/` as well; for upstreams that decode them.",
        ),
      },
      { description: "The form of paths that policies, routes and upstreams see." },
    ),
  ),
  tracing: Type.Optional(
    Closed(
      {
        randomSamplingPercentage: Type.Optional(
          Type.Number({
            minimum: 0,
            maximum: 100,
            description:
              "Percentage of new traces that are sampled, as in Istio's Telemetry; default 100. A trace that a caller began keeps the caller's decision.",
          }),
        ),
        b3: Type.Optional(
          Choice(
            B3_FORMS,
            "`NONE` (default): only `traceparent` is read and written. `SINGLE_HEADER`, `MULTI_HEADER`: requests without a valid " +
              "`traceparent` may bring B3 headers in either form, and upstreams get this form beside `traceparent`.",
          ),
        ),
      },
      { description: "The traces of requests." },
    ),
  ),
  gatewayTopology: Type.Optional(
    Closed(
      {
        proxyProtocol: Type.Optional(
          Closed(
            {},
            {
              description:
                "`{}`: a load balancer in front of the edge begins each connection with a header of the PROXY protocol, version 1 or 2, " +
                "which tells the client's address. A connection without it is closed.",
            },
          ),
        ),
      },
      { description: "What stands in front of the edge." },
    ),
  ),
  limits: Type.Optional(LimitsSpec),
  rootNamespace: Type.Optional(
    Type.String({
      pattern: `^${LABEL}$`,
      maxLength: 63,
      description:
        "The namespace whose Sidecar and DestinationRules apply where no nearer namespace has one; default istio-system, as in Istio.",
      [FORM_KEYWORD]: "a namespace such as istio-system",
    }),
  ),
  rateLimitHeaders: Type.Optional(RateLimitHeadersSpec),
  trustDomain: Type.Optional(
    TrustDomain(
      "The trust domain of the mesh: the first part of its workloads' SPIFFE ids; default cluster.local.",
    ),
  ),
  trustDomainAliases: Type.Optional(
    Type.Array(TrustDomain("A former or another trust domain."), {
      maxItems: 32,
      description: "Further trust domains whose workloads are peers of the mesh.",
    }),
  ),
});

export type MeshConfigSpec = Static<typeof MeshConfigSpec>;

export const MESH_CONFIG = {
  kind: "MeshConfig",
  apiVersions: ["purser.dev/v1"],
  description:
    "Settings of the whole mesh, with Istio's names for those that Istio's MeshConfig has. One at most.",
  spec: MeshConfigSpec,
  check: ({ limits, rateLimitHeaders }: MeshConfigSpec) => [
    ...(limits === undefined ? [] : faultsOfLimits(limits)),
    ...(rateLimitHeaders === undefined ? [] : faultsOfRateLimitHeaders(rateLimitHeaders)),
  ],
} as const satisfies KindDefinition;

/** Istio's default. */
export const DEFAULT_ROOT_NAMESPACE = "istio-system";

/** Istio's default. */
export const DEFAULT_TRUST_DOMAIN = "cluster.local";

/** The mesh's trust domain, then its aliases; each once. */
export function trustDomainsOf(spec: MeshConfigSpec | undefined): readonly [string, ...string[]] {
  const own = spec?.trustDomain ?? DEFAULT_TRUST_DOMAIN;
  const aliases = new Set(spec?.trustDomainAliases ?? []);
  aliases.delete(own);
  return [own, ...aliases];
}

/** The setting of the MeshConfig, or the default. */
export function pathNormalizationOf(spec: MeshConfigSpec | undefined): PathNormalization {
  return spec?.pathNormalization?.normalization ?? DEFAULT_PATH_NORMALIZATION;
}
