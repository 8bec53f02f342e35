// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Malformed } from "../../../kernel/canonical/malformed.ts";
import { compileReplacement } from "../../../kernel/matching/re2-replacement.ts";
import { compileRe2 } from "../../../kernel/matching/regex.ts";
import { suggest } from "../../../kernel/suggest.ts";
import { forwardedPath } from "../../traffic/request-target.ts";
import { AUTHORITY_HEADER } from "../../traffic/route-match.ts";
import { parseRetryOn, REFUSED_RETRY_WORDS, RETRY_WORDS } from "../../traffic/retry.ts";
import { corsFaults } from "./cors-policy.ts";
import { headerMapFaults, headerNamesFaults } from "./header-faults.ts";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import type { HeaderOperationsSpec } from "./traffic-fields.ts";
import { type HttpMatchSpec, SCHEME_HEADER } from "./virtual-service-match.ts";
import { ownRouteFaults } from "./virtual-service-own.ts";
import { gatewayFaults, sourceFaults, weightFaults } from "./virtual-service-route-faults.ts";
import { tcpFaults } from "./virtual-service-tcp-faults.ts";
import { replyFaults } from "./virtual-service-replies.ts";
import { type HttpRouteSpec, MESH_GATEWAY, type VirtualServiceSpec } from "./virtual-service-schema.ts";

type Path = readonly (string | number)[];

/**
 * Checks of a VirtualService beyond its schema: one action for each route, usable weights, valid expressions.
 */
export function virtualServiceFaults(spec: VirtualServiceSpec): readonly SpecFault[] {
  const isDelegate = spec.hosts === undefined;
  const { http = [] } = spec;
  if (http.length === 0 && spec.tls === undefined && spec.tcp === undefined)
    return [{ path: [], message: "A VirtualService needs http, tls or tcp" }];
  const routeFaults = http.flatMap((route, index) => {
    const path: Path = ["http", index];
    return [
      ...(isDelegate ? nestedFaults(route, path) : []),
      ...actionFaults(route, path),
      ...weightFaults(route, path),
      ...retryFaults(route, path),
      ...remoteRetryFaults(route, path),
      ...mirrorFaults(route, path),
      ...replyFaults(route, path),
      ...ownRouteFaults(route, isDelegate, path),
      ...rewriteFaults(route.rewrite, [...path, "rewrite"]),
      ...(route.match ?? []).flatMap((match, matchIndex) => [
        ...regexFaults(match, [...path, "match", matchIndex]),
        ...headerFieldFaults(match, [...path, "match", matchIndex]),
        ...spellingFaults(match, [...path, "match", matchIndex]),
        ...sourceFaults(match, isDelegate ? undefined : spec.gateways, [...path, "match", matchIndex]),
        // A delegate's gateways are those of the VirtualServices that delegate to it.
        ...(isDelegate
          ? []
          : gatewayFaults(match, spec.gateways ?? [MESH_GATEWAY], [...path, "match", matchIndex])),
      ]),
      ...headerFaults(route.headers, [...path, "headers"]),
      ...corsFaults(route.corsPolicy, [...path, "corsPolicy"]),
      ...(route.route ?? []).flatMap((destination, destinationIndex) =>
        headerFaults(destination.headers, [...path, "route", destinationIndex, "headers"]),
      ),
    ];
  });
  const faults = [...routeFaults, ...tcpFaults(spec)];
  if (!isDelegate || spec.gateways === undefined) return faults;
  const message = "A VirtualService without hosts is a delegate, and has no gateways";
  return [{ path: ["gateways"], message }, ...faults];
}

function nestedFaults({ delegate }: HttpRouteSpec, path: Path): readonly SpecFault[] {
  if (delegate === undefined) return [];
  const message = "A delegate, which has no hosts, cannot delegate further";
  return [{ path: [...path, "delegate"], message }];
}

const ACTIONS = ["route", "redirect", "directResponse", "delegate"] as const;
const FORWARDING_FIELDS = [
  "rewrite",
  "timeout",
  "retries",
  "mirror",
  "mirrorPercentage",
  "mirrors",
  "purser",
] as const;

function actionFaults(route: HttpRouteSpec, path: Path): readonly SpecFault[] {
  const given = ACTIONS.filter((action) => route[action] !== undefined);
  if (given.length !== 1) {
    return [
      {
        path,
        message: `A route needs exactly one of ${ACTIONS.join(", ")}; this one has ${given.length === 0 ? "none" : given.join(" and ")}`,
      },
    ];
  }
  if ((route.route ?? route.delegate) !== undefined) return [];
  return FORWARDING_FIELDS.filter((field) => route[field] !== undefined).map((field) => ({
    path: [...path, field],
    message: `A route that does not forward has no use for ${field}`,
  }));
}

function retryFaults({ retries }: HttpRouteSpec, path: Path): readonly SpecFault[] {
  return parseRetryOn(retries?.retryOn ?? "retriable-status-codes").unknown.map((word) => {
    const suggestion = REFUSED_RETRY_WORDS.has(word) ? undefined : suggest(word, RETRY_WORDS);
    return {
      path: [...path, "retries", "retryOn"],
      message:
        REFUSED_RETRY_WORDS.get(word) ??
        `${JSON.stringify(word)} is not a retry condition that Purser knows, nor a response code`,
      ...(suggestion === undefined ? {} : { suggestion }),
    };
  });
}

function remoteRetryFaults({ retries }: HttpRouteSpec, path: Path): readonly SpecFault[] {
  if (retries?.retryRemoteLocalities !== true) return [];
  const message =
    "Retries cannot go to localities that other requests do not go to: leave it out, and list these localities under distribute of the DestinationRule's localityLbSetting";
  return [{ path: [...path, "retries", "retryRemoteLocalities"], message }];
}

function mirrorFaults(
  { mirror, mirrorPercentage, mirrors }: HttpRouteSpec,
  path: Path,
): readonly SpecFault[] {
  if (mirrors !== undefined && (mirror ?? mirrorPercentage) !== undefined)
    return [{ path: [...path, "mirrors"], message: "A route has either mirror or mirrors" }];
  if (mirrorPercentage === undefined || mirror !== undefined) return [];
  return [{ path: [...path, "mirrorPercentage"], message: "The route has no mirror" }];
}

function rewriteFaults(rewrite: HttpRouteSpec["rewrite"], path: Path): readonly SpecFault[] {
  const uri = rewrite?.uri === undefined ? undefined : forwardedPath(rewrite.uri, "BASE");
  if (uri instanceof Malformed) return [{ path: [...path, "uri"], message: `The path ${uri.reason}` }];
  if (rewrite?.uriRegexRewrite === undefined) return [];
  if (uri !== undefined) return [{ path, message: "A rewrite has either uri or uriRegexRewrite" }];
  const compiled = compileReplacement(rewrite.uriRegexRewrite.match, rewrite.uriRegexRewrite.rewrite);
  if (compiled.ok) return [];
  const isPattern = compiled.part === "pattern";
  return [
    {
      path: [...path, "uriRegexRewrite", isPattern ? "match" : "rewrite"],
      message: isPattern
        ? `Not an RE2 expression that Purser can run: ${compiled.message}`
        : `Not a replacement: ${compiled.message}`,
    },
  ];
}

function regexFaults(match: HttpMatchSpec, path: Path): readonly SpecFault[] {
  const singles = (["uri", "scheme", "method", "authority"] as const).map(
    (field) => [[field], match[field]?.regex] as const,
  );
  const maps = (["headers", "withoutHeaders", "queryParams"] as const).flatMap((field) =>
    Object.entries(match[field] ?? {}).map(([name, { regex }]) => [[field, name], regex] as const),
  );
  return [...singles, ...maps].flatMap(([field, regex]) => {
    const compiled = compileRe2(regex ?? "");
    return compiled.ok
      ? []
      : [
          {
            path: [...path, ...field, "regex"],
            message: `Not an RE2 expression that Purser can run: ${compiled.message}`,
          },
        ];
  });
}

/** Scheme and authority are matched by headers, whose conditions cannot hold beside other ones. */
function headerFieldFaults(match: HttpMatchSpec, path: Path): readonly SpecFault[] {
  return (["scheme", "authority"] as const).flatMap((field) => {
    const header = field === "scheme" ? SCHEME_HEADER : AUTHORITY_HEADER;
    const name = Object.keys(match.headers ?? {}).find((each) => each.toLowerCase() === header);
    if (match[field] === undefined || name === undefined) return [];
    return [{ path: [...path, field], message: `A match has either ${field} or the header ${name}` }];
  });
}

/** Of two conditions on one header, in two spellings of its name, only one would count. */
function spellingFaults(match: HttpMatchSpec, path: Path): readonly SpecFault[] {
  return (["headers", "withoutHeaders"] as const).flatMap((field) => {
    const spellings = new Map<string, string>();
    return Object.keys(match[field] ?? {}).flatMap((name) => {
      const earlier = spellings.get(name.toLowerCase());
      spellings.set(name.toLowerCase(), name);
      if (earlier === undefined) return [];
      const message = `${name} and ${earlier} are the same header; write it once`;
      return [{ path: [...path, field, name], message }];
    });
  });
}

function headerFaults(operations: HeaderOperationsSpec | undefined, path: Path): readonly SpecFault[] {
  return (["request", "response"] as const).flatMap((side) => {
    const { set, add, remove } = operations?.[side] ?? {};
    return [
      ...headerMapFaults(set, [...path, side, "set"], "text"),
      ...headerMapFaults(add, [...path, side, "add"], "text"),
      ...headerNamesFaults(remove, [...path, side, "remove"]),
    ];
  });
}
