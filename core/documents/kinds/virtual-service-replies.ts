// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { STATUS_CODES } from "../../../kernel/status.ts";
import { FORM_KEYWORD } from "../schema/form.ts";
import { Choice, Closed, Duration, REFUSED_KEYWORD } from "./fields.ts";
import { PortNumber } from "./traffic-fields.ts";

// The parts of a route that make replies of the proxy's own: redirects, direct responses and injected faults.

/** Maximum size of a direct response's body: 64 KiB, in characters of `string` and in bytes of `bytes`. */
const MAX_BODY = 65_536;

/** The derivations of a redirect's port, by Istio's names. */
const DERIVED_PORTS = ["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"] as const;

/** Istio's HTTPRedirect. Parts of the URL that it lacks are the request's own. */
export const Redirect = Closed(
  {
    uri: Type.Optional(Type.String({ pattern: "^/[!-~]*$", description: "In place of the whole path." })),
    authority: Type.Optional(Type.String({ pattern: "^[!-~]+$", description: "In place of the host." })),
    port: Type.Optional(PortNumber("In place of the port.")),
    derivePort: Type.Optional(
      Choice(
        DERIVED_PORTS,
        "In place of port: FROM_PROTOCOL_DEFAULT for 80 or 443, by the scheme; FROM_REQUEST_PORT for the port of the request.",
      ),
    ),
    scheme: Type.Optional(Choice(["http", "https"], "In place of the scheme.")),
    redirectCode: Type.Optional(
      Type.Unsafe<301 | 302 | 303 | 307 | 308>({
        type: "integer",
        enum: [301, 302, 303, 307, 308],
        description: "Default 301.",
      }),
    ),
  },
  { minProperties: 1, description: "A redirect of the client." },
);

/** Istio's HTTPDirectResponse. */
export const DirectResponse = Closed(
  {
    status: Type.Integer({ minimum: 200, maximum: 599, description: "The answer's status." }),
    body: Type.Optional(
      Closed(
        {
          string: Type.Optional(
            Type.String({ maxLength: MAX_BODY, description: "The body as text, in UTF-8." }),
          ),
          bytes: Type.Optional(
            Type.String({
              pattern: `^(${base64Pattern("A-Za-z0-9+/")}|${base64Pattern("A-Za-z0-9_-")})$`,
              maxLength: Math.ceil(MAX_BODY / 3) * 4,
              description: "The body in base64, with either alphabet, with or without padding.",
              [FORM_KEYWORD]: "base64 of at most 64 KiB, without line breaks",
            }),
          ),
        },
        { minProperties: 1, maxProperties: 1, description: "Default: no body." },
      ),
    ),
  },
  { description: "A reply from the proxy, without forwarding." },
);

/** Whole groups of four letters, then perhaps a last group of two or three (RFC 4648, section 4). */
function base64Pattern(alphabet: string): string {
  return `([${alphabet}]{4})*([${alphabet}]{2}(==)?|[${alphabet}]{3}=?)?`;
}

const OLD_PERCENT = "it is the old form of percentage; write percentage: { value: 5 } for 5 %";

const Percentage = Closed(
  { value: Type.Number({ minimum: 0, maximum: 100, description: "0 to 100; fractions are allowed." }) },
  { description: "The share of requests. Required: Istio's own documents disagree on a default." },
);

/** Istio's HTTPFaultInjection. `replyFaults` checks that an abort has exactly one status. */
export const FaultInjection = Closed(
  {
    delay: Type.Optional(
      Closed(
        { fixedDelay: Duration("The delay before the request is forwarded."), percentage: Percentage },
        {
          [REFUSED_KEYWORD]: {
            percent: OLD_PERCENT,
            exponentialDelay: "Istio has no use for it either; write fixedDelay",
          },
        },
      ),
    ),
    abort: Type.Optional(
      Closed(
        {
          httpStatus: Type.Optional(
            Type.Integer({ minimum: 200, maximum: 599, description: "The answer's status." }),
          ),
          grpcStatus: Type.Optional(
            Choice(STATUS_CODES, "In place of httpStatus: the gRPC status of the answer."),
          ),
          percentage: Percentage,
        },
        {
          [REFUSED_KEYWORD]: {
            percent: OLD_PERCENT,
            http2Error: "Istio has no use for it either; write httpStatus or grpcStatus",
          },
        },
      ),
    ),
  },
  { minProperties: 1, description: "Fault injection: the delay comes first, then the abort." },
);

interface RouteReplies {
  readonly redirect?: Static<typeof Redirect>;
  readonly fault?: Static<typeof FaultInjection>;
}

/** Faults of a route's redirect and of its injected faults, beyond their schemas. */
export function replyFaults(
  { redirect, fault }: RouteReplies,
  path: readonly (string | number)[],
): readonly SpecFault[] {
  const faults: SpecFault[] = [];
  if (redirect?.port !== undefined && redirect.derivePort !== undefined)
    faults.push({
      path: [...path, "redirect", "derivePort"],
      message: "A redirect has either port or derivePort",
    });
  const abort = fault?.abort;
  if (abort !== undefined && (abort.httpStatus === undefined) === (abort.grpcStatus === undefined))
    faults.push({
      path: [...path, "fault", "abort"],
      message: "An abort has either httpStatus or grpcStatus",
    });
  return faults;
}
