// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  Choice,
  Closed,
  type ConfigFault,
  Duration,
  SecretField,
  type Static,
  STATUS_CODES,
  type StatusCode,
  Type,
} from "../../plugins/sdk/index.ts";

const REFUSALS = STATUS_CODES.filter((code): code is Exclude<StatusCode, "OK"> => code !== "OK");

export const CONFIG = Type.Object({
  url: Type.String({
    default: "http://127.0.0.1:8181",
    description: "OPA's base URL, http or https, without user, query and fragment.",
  }),
  path: Type.String({
    minLength: 1,
    description: "The rule or package that decides, below /v1/data: authz/allow for data.authz.allow.",
  }),
  token: Type.Optional(SecretField({ description: "Sent to OPA as a bearer token." })),
  undefined: Choice(
    ["deny", "error"],
    "The answer when OPA has no result, because no rule applies or the path names none: deny, or error, which leaves the " +
      "request to the Rule's onError.",
    { default: "deny" },
  ),
  status: Closed(
    {
      code: Choice(REFUSALS, "The status of a refusal without http_status.", {
        default: "PERMISSION_DENIED",
      }),
      message: Type.String({
        default: "refused by policy",
        description: "Message to the client when the result has no reason.",
      }),
    },
    { default: {}, description: "The reply to a refused request." },
  ),
  validDuration: Duration(
    "How long a proxy may reuse a decision without a valid_duration of its own; 0s for never.",
    { default: "10s" },
  ),
  validUseCount: Type.Integer({
    minimum: 1,
    default: 10_000,
    description: "How often a proxy may reuse a decision.",
  }),
  maxConcurrent: Type.Integer({
    minimum: 1,
    maximum: 10_000,
    default: 256,
    description: "Calls to OPA under way, on 16 connections at most; a further call fails at once.",
  }),
});

export type Config = Static<typeof CONFIG>;

/** Checks beyond the schema. */
export function faultsOf({ url, path }: Config): readonly ConfigFault[] {
  const faults: ConfigFault[] = [];
  const urlFault = faultOfUrl(url);
  if (urlFault !== undefined) faults.push({ path: ["url"], message: urlFault });
  const wrong = path.split("/").find((segment) => segment === "" || segment === "." || segment === "..");
  if (wrong !== undefined)
    faults.push({
      path: ["path"],
      message: `"${path}" is not a path such as authz/allow: it has ${wrong === "" ? "an empty part" : `the part "${wrong}"`}`,
    });
  if (/\p{Surrogate}/u.test(path))
    faults.push({ path: ["path"], message: "path has half of a surrogate pair, which has no bytes to send" });
  return faults;
}

/** No message shows the URL: it may hold a password. */
function faultOfUrl(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:\/\//i.test(text)) return "url is not an http or https URL";
  if (url.username !== "" || url.password !== "") return "url has a user or password: use token";
  if (text.includes("?") || text.includes("#"))
    return "url has a query or fragment: write the base URL alone";
  return undefined;
}

/** The URL of the decision in OPA's Data API. */
export function decisionUrl({ url, path }: Config): string {
  return `${baseOf(url)}/v1/data/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** The URL of OPA's Health API. */
export function healthUrl({ url }: Config): string {
  return `${baseOf(url)}/health`;
}

function baseOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(/\/$/, "")}`;
}
