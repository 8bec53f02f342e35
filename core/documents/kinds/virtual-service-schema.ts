// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { ExportTo } from "./export-to.ts";
import { Closed, Duration, REFUSED_KEYWORD } from "./fields.ts";
import { CorsPolicyField } from "./cors-policy.ts";
import { HeaderOperations, WildcardHost } from "./traffic-fields.ts";
import { OwnRouteFields } from "./virtual-service-own.ts";
import { HttpMatch } from "./virtual-service-match.ts";
import { Target } from "./virtual-service-target.ts";
import { TcpRoute, TlsRoute } from "./virtual-service-tcp.ts";
import { DirectResponse, FaultInjection, Redirect } from "./virtual-service-replies.ts";

const Destination = Closed({
  destination: Target,
  weight: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1_000_000,
      description:
        "The share of requests, relative to the sum; default 0, or all when there is one destination.",
    }),
  ),
  headers: Type.Optional(
    HeaderOperations("Header changes for only this destination, in addition to the route's."),
  ),
});

const MirrorPercentage = Closed(
  { value: Type.Number({ minimum: 0, maximum: 100, description: "0 to 100; fractions are allowed." }) },
  { description: "The share of requests; default 100." },
);

const Retries = Closed(
  {
    attempts: Type.Integer({
      minimum: 0,
      maximum: 100,
      description: "Attempts after the first; 0 turns retries off.",
    }),
    perTryTimeout: Type.Optional(
      Duration("Timeout of one attempt, until its response headers; default 0s: only the route's timeout."),
    ),
    retryOn: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1000,
        description:
          "Conditions and response codes, separated by commas, for every method; default connect-failure,refused-stream,unavailable,cancelled,503 for idempotent methods, for other methods only failures before anything was sent.",
      }),
    ),
    backoff: Type.Optional(
      Duration(
        "The base of the exponential back-off before a retry; default 25ms. The back-off is at most ten times the base.",
      ),
    ),
    retryIgnorePreviousHosts: Type.Optional(
      Type.Boolean({ description: "Whether retries avoid endpoints that failed before; default true." }),
    ),
    retryRemoteLocalities: Type.Optional(
      Type.Boolean({
        description:
          "false (default): retries go to the localities that requests go to anyway. true is not supported.",
      }),
    ),
  },
  { description: "When absent: 2 attempts with every default." },
);

const HttpRoute = Closed(
  {
    name: Type.Optional(
      Type.String({ minLength: 1, description: "The route's name, in logs and attributes." }),
    ),
    match: Type.Optional(
      Type.Array(HttpMatch, {
        description:
          "The route matches when any of these matches; each needs all its fields. All requests when absent.",
      }),
    ),
    route: Type.Optional(
      Type.Array(Destination, { minItems: 1, description: "Destinations to forward to." }),
    ),
    delegate: Type.Optional(
      Closed(
        {
          name: Type.String({ minLength: 1, description: "The name of a VirtualService without hosts." }),
          namespace: Type.Optional(
            Type.String({ minLength: 1, description: "Its namespace; default this VirtualService's." }),
          ),
        },
        { description: "A VirtualService whose routes stand in this one's place." },
      ),
    ),
    redirect: Type.Optional(Redirect),
    directResponse: Type.Optional(DirectResponse),
    rewrite: Type.Optional(
      Closed(
        {
          uri: Type.Optional(
            Type.String({
              pattern: '^/[!"$->@-~]*$',
              description: "Replaces the matched prefix, or the whole path for other matches.",
            }),
          ),
          uriRegexRewrite: Type.Optional(
            Closed(
              {
                match: Type.String({
                  minLength: 1,
                  description:
                    "An RE2 expression; each of its matches in the path, without the query, is replaced.",
                }),
                rewrite: Type.String({
                  pattern: '^[!"$->@-~]+$',
                  maxLength: 1_000,
                  description: "The replacement: \\1 to \\9 stand for groups, \\0 for the whole match.",
                }),
              },
              { description: "A rewrite of the path by a regular expression, instead of uri." },
            ),
          ),
          authority: Type.Optional(
            Type.String({ pattern: "^[!-~]+$", description: "In place of the Host header." }),
          ),
        },
        { minProperties: 1, description: "Changes before forwarding." },
      ),
    ),
    timeout: Type.Optional(
      Duration("From the whole request to the whole response, retries included; default 0s: none."),
    ),
    retries: Type.Optional(Retries),
    fault: Type.Optional(FaultInjection),
    headers: Type.Optional(HeaderOperations("Header changes, in addition to those of destinations.")),
    mirror: Type.Optional(Target),
    mirrorPercentage: Type.Optional(MirrorPercentage),
    mirrors: Type.Optional(
      Type.Array(Closed({ destination: Target, percentage: Type.Optional(MirrorPercentage) }), {
        minItems: 1,
        maxItems: 10,
        description: "Several mirrors, in place of mirror and mirrorPercentage; each share is drawn alone.",
      }),
    ),
    corsPolicy: Type.Optional(CorsPolicyField),
    purser: Type.Optional(OwnRouteFields),
  },
  {
    [REFUSED_KEYWORD]: {
      mirrorPercent: "it is the old form of mirrorPercentage; write mirrorPercentage: { value: 5 } for 5 %",
    },
  },
);

export const VirtualServiceSpec = Closed({
  hosts: Type.Optional(
    Type.Array(
      WildcardHost("A ServiceEntry's host or short name, a name that clients use, `*.example.com` or `*`."),
      {
        minItems: 1,
        description:
          "Hosts whose requests are routed; the most specific host of all VirtualServices applies. Without hosts the VirtualService is a delegate: it serves the routes that name it.",
      },
    ),
  ),
  gateways: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description: "Gateways by NAME or NAMESPACE/NAME, and `mesh` for the sidecars; default: only mesh.",
    }),
  ),
  http: Type.Optional(
    Type.Array(HttpRoute, { minItems: 1, description: "Routes; the first matching route is used." }),
  ),
  tls: Type.Optional(
    Type.Array(TlsRoute, {
      minItems: 1,
      description:
        "Routes of TLS connections that are forwarded as they are, at a Gateway's servers with the mode PASSTHROUGH; the most exact server name applies.",
    }),
  ),
  tcp: Type.Optional(
    Type.Array(TcpRoute, {
      minItems: 1,
      description:
        "Routes of connections at a Gateway's servers with the protocol TCP, or TLS that ends there; the longest prefix of destinationSubnets applies, then the first route.",
    }),
  ),
  exportTo: ExportTo(),
});

export type VirtualServiceSpec = Static<typeof VirtualServiceSpec>;
export type HttpRouteSpec = Static<typeof HttpRoute>;
export type HttpDestinationSpec = Static<typeof Destination>;

/** The name for all sidecars among a VirtualService's gateways. */
export const MESH_GATEWAY = "mesh";
