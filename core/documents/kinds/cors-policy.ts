// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { compileRe2 } from "../../../kernel/matching/regex.ts";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { Choice, Closed, Duration, REFUSED_KEYWORD } from "./fields.ts";
import { StringMatch } from "./traffic-fields.ts";

type Path = readonly (string | number)[];

/** Most origins of one policy: exact ones are looked up, each other one is tried. */
const MAX_ORIGINS = 10_000;
/** Most entries of each list that becomes one field of a response. */
const MAX_LISTED = 100;

/** A token (RFC 9110, section 5.6.2), which `*` is too. */
const TOKEN = "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$";

function Tokens(description: string) {
  return Type.Array(Type.String({ pattern: TOKEN }), { maxItems: MAX_LISTED, description });
}

/** Istio's CorsPolicy. */
export const CorsPolicyField = Closed(
  {
    allowOrigins: Type.Array(StringMatch("An origin, such as https://shop.example.com; exact * for any."), {
      minItems: 1,
      maxItems: MAX_ORIGINS,
      description: "The origins whose pages may read the responses.",
    }),
    allowMethods: Type.Optional(Tokens("Methods, for access-control-allow-methods of a preflight's reply.")),
    allowHeaders: Type.Optional(
      Tokens("Request headers, for access-control-allow-headers of a preflight's reply."),
    ),
    exposeHeaders: Type.Optional(
      Tokens("Response headers that pages may read, for access-control-expose-headers."),
    ),
    maxAge: Type.Optional(
      Duration("How long a browser may keep a preflight's reply, in whole seconds; default: its own time."),
    ),
    allowCredentials: Type.Optional(
      Type.Boolean({ description: "Whether requests may carry cookies and the like; default false." }),
    ),
    unmatchedPreflights: Type.Optional(
      Choice(
        ["FORWARD", "IGNORE"],
        "A preflight from another origin: FORWARD (default) treats it as any request, IGNORE answers 200 without CORS fields.",
      ),
    ),
  },
  {
    description: "Cross-origin resource sharing.",
    [REFUSED_KEYWORD]: {
      allowOrigin: "it is the old form of allowOrigins; write allowOrigins: [{ exact: ORIGIN }]",
    },
  },
);

export type CorsPolicySpec = Static<typeof CorsPolicyField>;

/** `scheme://host[:port]` (RFC 6454, section 6.2), or `null`; `*` is Envoy's word for any. */
const ORIGIN = /^(?:\*|null|[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+)$/;

/** Origins that anyone can have: a page of a stranger, and a sandboxed frame. */
const STRANGERS = ["https://stranger.invalid", "http://stranger.invalid", "null"];

/**
 * Faults of a policy beyond its schema: origins that no browser sends, expressions that cannot run, and with
 * `allowCredentials` every entry that lets strangers in. Such an entry would let any site read what a signed-in
 * user may read.
 */
export function corsFaults(policy: CorsPolicySpec | undefined, path: Path): readonly SpecFault[] {
  if (policy === undefined) return [];
  return policy.allowOrigins.flatMap(({ exact, prefix, regex }, index) => {
    const at = [...path, "allowOrigins", index];
    if (exact !== undefined && !ORIGIN.test(exact)) {
      const message = `No browser sends the origin ${JSON.stringify(exact)}: write scheme://host or scheme://host:port, without a path`;
      return [{ path: [...at, "exact"], message }];
    }
    const compiled = regex === undefined ? undefined : compileRe2(regex);
    if (compiled?.ok === false) {
      const message = `Not an RE2 expression that Purser can run: ${compiled.message}`;
      return [{ path: [...at, "regex"], message }];
    }
    if (policy.allowCredentials !== true) return [];
    if (exact === "*" || exact === "null") {
      const message = `With allowCredentials, ${exact} would let any site read what a signed-in user may read: list the origins`;
      return [{ path: [...at, "exact"], message }];
    }
    if (prefix !== undefined && !endsAfterHost(prefix)) {
      const message =
        "With allowCredentials, a prefix must have the host and a colon: https://shop.example.com is also how https://shop.example.com.stranger.invalid begins. Use exact, or a regex for the whole origin";
      return [{ path: [...at, "prefix"], message }];
    }
    if (compiled !== undefined && STRANGERS.some((origin) => compiled.regex.matches(origin))) {
      const message = "With allowCredentials, the expression allows any site: make it name the hosts";
      return [{ path: [...at, "regex"], message }];
    }
    return [];
  });
}

/** Whether every origin with this prefix has the same host: `https://shop.example.com:`. */
function endsAfterHost(prefix: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@:]+:/.test(prefix);
}
