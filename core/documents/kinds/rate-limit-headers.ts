// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import {
  DEFAULT_RATE_LIMIT_SETTINGS,
  RATE_LIMIT_FORMS,
  type RateLimitSettings,
  UPSTREAM_RATE_LIMITS,
} from "../../../kernel/rate-limit-settings.ts";
import { Choice, Closed } from "./fields.ts";

export const RateLimitHeadersSpec = Closed(
  {
    forms: Type.Optional(
      Type.Array(
        Choice(
          RATE_LIMIT_FORMS,
          "`RATELIMIT`: `RateLimit-Policy` and `RateLimit` of the newest draft, with an item for each quota. `RATELIMIT_DRAFT_7`: the " +
            "same names with the values of draft 07, `RateLimit: limit=, remaining=, reset=`. `X_RATELIMIT`: `X-RateLimit-Limit`, " +
            "`-Remaining` and `-Reset` in seconds.",
        ),
        {
          description: "The forms of the fields, each at most once; default [RATELIMIT]; [] for none.",
          maxItems: RATE_LIMIT_FORMS.length,
        },
      ),
    ),
    upstream: Type.Optional(
      Choice(
        UPSTREAM_RATE_LIMITS,
        "The upstream's own fields of these names. `MERGE` (default): lists are joined, ours first; of fields about one quota, the " +
          "stricter ones are sent; malformed ones are replaced. `REPLACE`: ours are sent alone.",
      ),
    ),
    quotaState: Type.Optional(
      Type.Boolean({
        description:
          "Whether responses say in `x-purser-quota-state` how the request's quotas were counted: `exact`, `leased`, `local` or `allowed-uncounted`; default false.",
      }),
    ),
  },
  { description: "Fields of responses that tell clients how their quotas stand." },
);

export type RateLimitHeadersSpec = Static<typeof RateLimitHeadersSpec>;

/** The settings of the MeshConfig, with the defaults for the others. */
export function rateLimitSettingsOf(spec: RateLimitHeadersSpec): RateLimitSettings {
  return { ...DEFAULT_RATE_LIMIT_SETTINGS, ...spec };
}

/** @returns The faults, with paths inside the MeshConfig's `spec`. */
export function faultsOfRateLimitHeaders({ forms = [] }: RateLimitHeadersSpec): readonly SpecFault[] {
  const faults: SpecFault[] = [];
  for (const [index, form] of forms.entries()) {
    const path = ["rateLimitHeaders", "forms", index];
    const where = `spec.rateLimitHeaders.forms[${index}]`;
    if (forms.indexOf(form) < index) faults.push({ path, message: `${where} repeats ${form}` });
    else if (form === "RATELIMIT_DRAFT_7" && forms.includes("RATELIMIT"))
      faults.push({
        path,
        message: `${where} has the field names of RATELIMIT with other values: choose one of the two`,
      });
  }
  return faults;
}
