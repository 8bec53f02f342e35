// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Findings } from "../findings.ts";
import type { Inferred } from "../inference/inferred.ts";
import { nounOf, type Shape } from "../inference/kinds.ts";
import { subjectText, type TextTest } from "../inference/text-tests.ts";

type ClaimType = "boolean" | "number" | "string";

/** Claims with registered types: RFC 7519 4.1, RFC 8693 4.2, OpenID Connect Core 2 and 5.1. */
const CLAIM_TYPES: ReadonlyMap<string, ClaimType> = new Map<string, ClaimType>([
  ["email_verified", "boolean"],
  ["phone_number_verified", "boolean"],
  ["exp", "number"],
  ["nbf", "number"],
  ["iat", "number"],
  ["auth_time", "number"],
  ["updated_at", "number"],
  ...["iss", "sub", "jti", "azp", "nonce", "acr", "scope", "client_id", "sid", "name", "email", "locale"].map(
    (name) => [name, "string"] as const,
  ),
]);

const NOUNS: Readonly<Record<ClaimType, string>> = {
  boolean: "true or false, not text",
  number: "a number (of seconds since 1970)",
  string: "text",
};

/** Notes comparisons of a registered claim with a constant of a type that the claim does not have. */
export function checkClaims({ tests, findings }: Inferred): void {
  for (const test of tests.values()) {
    checkOtherSide(test, findings);
    const claim = claimOf(test.subject.shape);
    const type = claim === undefined ? undefined : CLAIM_TYPES.get(claim);
    if (claim === undefined || type === undefined || (test.written === "in" && isText(test))) continue;
    for (const { shape, node } of test.constants) {
      const { constant } = shape;
      if (constant === undefined || constant === null || typeof constant === type) continue;
      const subject = subjectText(test.subject, findings) ?? claim;
      const meant = constantOf(constant, type);
      findings.add(node ?? test.node, {
        code: "PURSER_EXPR_TYPE",
        severity: "warning",
        message: `${subject} is registered as ${NOUNS[type]}: a comparison with ${JSON.stringify(constant)} is false of it`,
        ...(meant === undefined || node === undefined ? {} : { suggestion: meant }),
      });
    }
  }
}

/** Notes comparisons of a number of seconds with a text, which fail (T2009): `claims.exp > request.time`. */
function checkOtherSide({ subject, constants: [other], node, manner }: TextTest, findings: Findings): void {
  if (other === undefined || (manner !== "equal" && manner !== "order")) return;
  for (const [claim, value] of [
    [subject, other],
    [other, subject],
  ] as const) {
    const type = CLAIM_TYPES.get(claimOf(claim.shape) ?? "");
    const { kinds, constant, declaration } = value.shape;
    if (type === undefined || constant !== undefined || kinds.has(type) || value.node === undefined) continue;
    const text = findings.textOf(value.node);
    const isTime = declaration?.form === "timestamp" && type === "number";
    findings.add(value.node, {
      code: "PURSER_EXPR_TYPE",
      severity: "warning",
      message: `${subjectText(claim, findings)} is registered as ${NOUNS[type]}, and ${text} is ${nounOf(kinds)} (in ${findings.textOf(node)})`,
      ...(isTime ? { suggestion: `$toMillis(${text}) / 1000` } : {}),
    });
  }
}

/** The name of the claim that a value comes from. */
function claimOf({ place, declaration }: Shape): string | undefined {
  if (declaration?.form !== "claims" || place === undefined) return undefined;
  return place.length === declaration.name.split(".").length + 1 ? place.at(-1) : undefined;
}

/** Whether the test is `x in "text"`, which `checkMembership` notes. */
function isText({ node }: TextTest): boolean {
  return node.rhs?.type === "string";
}

/** The constant as a literal of the claim's type. */
function constantOf(constant: string | number | boolean, type: ClaimType): string | undefined {
  if (type === "string") return JSON.stringify(String(constant));
  if (type === "boolean") {
    const text = String(constant).toLowerCase();
    return text === "true" || text === "1" ? "true" : text === "false" || text === "0" ? "false" : undefined;
  }
  return typeof constant === "string" && /^\d+$/.test(constant) ? constant : undefined;
}
