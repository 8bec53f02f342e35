// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { SpecFault } from "../../../../kernel/diagnostic.ts";
import { type CorsPolicySpec, corsFaults } from "../cors-policy.ts";
import type { RouteCorsSpec } from "./filters.ts";

/** The default of the API reference, in seconds. */
const DEFAULT_MAX_AGE_SECONDS = 5;

/** Characters of a host name that a wildcard of an origin stands for. */
const WILDCARD = "[A-Za-z0-9.-]+";

/** A CORS filter as Istio's policy; another origin's preflight is answered without CORS fields, as the API reference says. */
export function corsPolicyOf(cors: RouteCorsSpec): CorsPolicySpec {
  const { allowOrigins = [], allowMethods, allowHeaders, exposeHeaders, allowCredentials, maxAge } = cors;
  return {
    allowOrigins: allowOrigins.map((origin) =>
      origin === "*" || !origin.includes("*") ? { exact: origin } : { regex: originPattern(origin) },
    ),
    ...(allowMethods === undefined ? {} : { allowMethods }),
    ...(allowHeaders === undefined ? {} : { allowHeaders }),
    ...(exposeHeaders === undefined ? {} : { exposeHeaders }),
    ...(allowCredentials === undefined ? {} : { allowCredentials }),
    maxAge: `${maxAge ?? DEFAULT_MAX_AGE_SECONDS}s`,
    unmatchedPreflights: "IGNORE",
  };
}

function originPattern(origin: string): string {
  return origin
    .split("*")
    .map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, "\\$&"))
    .join(WILDCARD);
}

/** A token (RFC 9110, section 5.6.2), which `*` is too. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;

export function faultsOfCors(cors: RouteCorsSpec, path: readonly (string | number)[]): readonly SpecFault[] {
  const tokens = (["allowMethods", "allowHeaders", "exposeHeaders"] as const).flatMap((field) =>
    (cors[field] ?? []).flatMap((text, index) =>
      TOKEN.test(text)
        ? []
        : [{ path: [...path, field, index], message: `${JSON.stringify(text)} is no method or header name` }],
    ),
  );
  const origins = corsFaults(corsPolicyOf(cors), path).map(({ path: at, message }) => ({
    path: at.slice(0, path.length + 2),
    message,
  }));
  return [...tokens, ...origins];
}
