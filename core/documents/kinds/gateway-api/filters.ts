// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { Choice, Closed, REFUSED_KEYWORD } from "../fields.ts";
import { PortNumber } from "../traffic-fields.ts";
import { BackendTarget, Hostname, TARGET_FIELDS, Weight } from "./fields.ts";

/** The filters of HTTPRoutes and GRPCRoutes. */

const Header = Closed({
  name: Type.String({ minLength: 1, maxLength: 256, description: "The header's name, in any case." }),
  value: Type.String({ minLength: 1, maxLength: 4_096, description: "Its value." }),
});

function HeaderModifier(of: string) {
  return Type.Optional(
    Closed(
      {
        set: Type.Optional(
          Type.Array(Header, { maxItems: 16, description: "Headers to set, replacing existing values." }),
        ),
        add: Type.Optional(
          Type.Array(Header, { maxItems: 16, description: "Values to add after existing values." }),
        ),
        remove: Type.Optional(Type.Array(Type.String(), { maxItems: 16, description: "Headers to remove." })),
      },
      { description: `Header changes on the ${of}.` },
    ),
  );
}

const PATH = '^/[!"$->@-~]*$';

const PathModifier = Closed({
  type: Choice(
    ["ReplaceFullPath", "ReplacePrefixMatch"],
    "ReplaceFullPath: the whole path. ReplacePrefixMatch: the segments that the match of type PathPrefix has.",
  ),
  replaceFullPath: Type.Optional(
    Type.String({ pattern: PATH, maxLength: 1_024, description: "The new path; the query is kept." }),
  ),
  replacePrefixMatch: Type.Optional(
    Type.String({
      pattern: `${PATH}|^$`,
      maxLength: 1_024,
      description: "The new segments; empty or `/` for none.",
    }),
  ),
});

const RequestMirror = Closed({
  backendRef: BackendTarget,
  percent: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 100,
      description: "The share of requests that are copied; default 100.",
    }),
  ),
  fraction: Type.Optional(
    Closed({
      numerator: Type.Integer({ minimum: 0, description: "The share is numerator / denominator." }),
      denominator: Type.Optional(Type.Integer({ minimum: 1, description: "Default 100." })),
    }),
  ),
});

const RequestRedirect = Closed({
  scheme: Type.Optional(Choice(["http", "https"], "Default: the request's.")),
  hostname: Type.Optional(Hostname("In place of the request's host.")),
  path: Type.Optional(PathModifier),
  port: Type.Optional(
    PortNumber(
      "Default: with a scheme that scheme's, else the listener's. The scheme's own port is not written.",
    ),
  ),
  statusCode: Type.Optional(
    Type.Union(
      ([301, 302, 303, 307, 308] as const).map((code) => Type.Literal(code)),
      { description: "301, 302 (default), 303, 307 or 308." },
    ),
  ),
});

const URLRewrite = Closed({
  hostname: Type.Optional(Hostname("In place of the Host header.")),
  path: Type.Optional(PathModifier),
});

const Texts = (description: string) =>
  Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 253 }), { maxItems: 64, description }));

const Cors = Closed({
  allowOrigins: Texts("Origins such as `https://shop.example.com`, `https://*.example.com`, or `*` for any."),
  allowCredentials: Type.Optional(
    Type.Boolean({ description: "Whether requests may carry cookies and the like; default false." }),
  ),
  allowMethods: Texts("Methods, for access-control-allow-methods."),
  allowHeaders: Texts("Request headers, for access-control-allow-headers."),
  exposeHeaders: Texts("Response headers that pages may read."),
  maxAge: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 2_147_483_647,
      description: "Seconds that a browser may keep a preflight's reply; default 5.",
    }),
  ),
});

const GRPC_FIELDS = {
  requestHeaderModifier: HeaderModifier("request"),
  responseHeaderModifier: HeaderModifier("response"),
  requestMirror: Type.Optional(RequestMirror),
};

/** Filter types that are refused, with the field of the same name. */
const REFUSED = {
  extensionRef: "Purser has no filters of its own kinds; write an AccessPolicy for decisions and headers",
  externalAuth: "write an AuthorizationPolicy with action: CUSTOM, or an AccessPolicy",
};

export const GrpcFilter = Closed(
  {
    type: Choice(
      ["RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror"],
      "The filter; its field of the same name has the settings.",
    ),
    ...GRPC_FIELDS,
  },
  { [REFUSED_KEYWORD]: REFUSED },
);

export const HttpFilter = Closed(
  {
    type: Choice(
      [
        "RequestHeaderModifier",
        "ResponseHeaderModifier",
        "RequestMirror",
        "RequestRedirect",
        "URLRewrite",
        "CORS",
      ],
      "The filter; its field of the same name has the settings.",
    ),
    ...GRPC_FIELDS,
    requestRedirect: Type.Optional(RequestRedirect),
    urlRewrite: Type.Optional(URLRewrite),
    cors: Type.Optional(Cors),
  },
  { [REFUSED_KEYWORD]: REFUSED },
);

/** A filter of one destination. */
const BackendFilter = Closed(
  {
    type: Choice(
      ["RequestHeaderModifier", "ResponseHeaderModifier"],
      "The filter; other types belong to the rule.",
    ),
    requestHeaderModifier: HeaderModifier("request"),
    responseHeaderModifier: HeaderModifier("response"),
  },
  { [REFUSED_KEYWORD]: REFUSED },
);

export type FilterSpec = Static<typeof HttpFilter>;
export type PathModifierSpec = Static<typeof PathModifier>;
export type RequestRedirectSpec = Static<typeof RequestRedirect>;
export type HeaderModifierSpec = NonNullable<FilterSpec["requestHeaderModifier"]>;
export type RouteCorsSpec = Static<typeof Cors>;

/** A destination of requests or of gRPC calls, with changes of its own. */
export const FilteredBackend = Closed({
  ...TARGET_FIELDS,
  weight: Weight,
  filters: Type.Optional(
    Type.Array(BackendFilter, { maxItems: 16, description: "Header changes for this destination alone." }),
  ),
});
