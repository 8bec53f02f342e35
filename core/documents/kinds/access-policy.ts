// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { MapOf } from "./map-of.ts";
import { STATUS_CODES, type StatusCode } from "../../../kernel/status.ts";
import { Choice, Closed, Duration, Expression, Match, Mode, OnError } from "./fields.ts";
import { headerMapFaults, headerNamesFaults } from "./header-faults.ts";
import type { KindDefinition } from "./kind.ts";
import type { SpecFault } from "../../../kernel/diagnostic.ts";

export const ACCESS_ACTIONS = ["DENY", "ALLOW", "AUDIT"] as const;

const HeaderChanges = Closed(
  {
    set: Type.Optional(
      MapOf(
        Expression(
          { phase: "request", result: "any" },
          "The header's value; no value leaves the header as it is.",
        ),
      ),
    ),
    append: Type.Optional(
      MapOf(
        Expression(
          { phase: "request", result: "any" },
          "A value to add after the existing values; a field with a single value, such as content-type, is replaced.",
        ),
      ),
    ),
    remove: Type.Optional(Type.Array(Type.String(), { description: "Headers to remove." })),
  },
  {
    description:
      "Changes to headers, by name in any case. Text is sent as UTF-8. Fields that frame the message or belong to the connection cannot be changed.",
  },
);

const AccessPolicySpec = Closed({
  match: Match("request"),
  action: Choice(
    ACCESS_ACTIONS,
    "DENY refuses requests for which `when` is true. ALLOW: if ALLOW policies match a request, one of them must be true. " +
      "AUDIT only records the request. DENY is decided first, then ALLOW.",
  ),
  when: Type.Optional(
    Expression({ phase: "request", result: "boolean" }, "The condition; true when absent."),
  ),
  status: Type.Optional(
    Closed(
      {
        code: Type.Optional(
          Choice(
            STATUS_CODES.filter((code): code is Exclude<StatusCode, "OK"> => code !== "OK"),
            "Default PERMISSION_DENIED.",
          ),
        ),
        message: Type.Optional(Expression({ phase: "request", result: "any" }, "Message to the client.")),
      },
      { description: "The reply to a refused request." },
    ),
  ),
  headers: Type.Optional(
    Closed(
      { request: Type.Optional(HeaderChanges), response: Type.Optional(HeaderChanges) },
      {
        description:
          "Header changes on requests for which `when` is true (ALLOW, AUDIT) or that are refused (DENY: response only).",
      },
    ),
  ),
  directResponse: Type.Optional(
    Closed(
      {
        code: Type.Integer({
          minimum: 200,
          maximum: 599,
          description: "The HTTP status; 204, 205 and 304 have no body.",
        }),
        body: Type.Optional(
          Expression(
            { phase: "request", result: "any" },
            "The body; a value other than text is sent as JSON.",
          ),
        ),
        headers: Type.Optional(MapOf(Type.String(), { description: "Headers of the reply." })),
      },
      {
        description: "The exact reply to a request that a DENY policy refuses, in place of the status.",
      },
    ),
  ),
  mode: Mode(),
  onError: OnError(),
  validDuration: Type.Optional(
    Duration(
      "How long a proxy may reuse a decision about a request that this policy matches; default 10s, 0s for never.",
    ),
  ),
  validUseCount: Type.Optional(
    Type.Integer({ minimum: 1, description: "How often a proxy may reuse such a decision; default 10000." }),
  ),
});

export type AccessPolicySpec = Static<typeof AccessPolicySpec>;

export const ACCESS_POLICY = {
  kind: "AccessPolicy",
  apiVersions: ["purser.dev/v1"],
  description: "Decides whether a request is allowed.",
  spec: AccessPolicySpec,
  check: checkAccessPolicy,
} as const satisfies KindDefinition;

/** Fields that could never take effect are errors, because the author has misunderstood them. */
function checkAccessPolicy({
  action,
  status,
  headers,
  directResponse,
}: AccessPolicySpec): readonly SpecFault[] {
  const faults: SpecFault[] = [];
  if (status !== undefined && action === "AUDIT")
    faults.push({
      path: ["status"],
      message: "spec.status is for policies that refuse; an AUDIT policy refuses nothing",
    });
  if (directResponse !== undefined && action !== "DENY")
    faults.push({ path: ["directResponse"], message: "spec.directResponse is for DENY policies" });
  if (headers?.request !== undefined && action === "DENY")
    faults.push({
      path: ["headers", "request"],
      message: "A request that a DENY policy refuses is not forwarded",
    });
  for (const side of ["request", "response"] as const) {
    const { set, append, remove } = headers?.[side] ?? {};
    faults.push(
      ...headerMapFaults(set, ["headers", side, "set"], "expressions"),
      ...headerMapFaults(append, ["headers", side, "append"], "expressions"),
      ...headerNamesFaults(remove, ["headers", side, "remove"]),
    );
  }
  faults.push(...headerMapFaults(directResponse?.headers, ["directResponse", "headers"], "text"));
  return faults;
}
