// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  Choice,
  Closed,
  Duration,
  MapOf,
  type Static,
  STATUS_CODES,
  type StatusCode,
  Type,
} from "../../plugins/sdk/index.ts";

const REFUSALS = STATUS_CODES.filter((code): code is Exclude<StatusCode, "OK"> => code !== "OK");

const Globs = (description: string) =>
  Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description });

const PropertyGlobs = (description: string) => MapOf(Globs("Globs."), { description });

const RULE = Closed({
  namespaces: Type.Optional(Globs("Globs of the action's namespace; any when absent.")),
  services: Type.Optional(Globs("Globs of the action's service; any when absent.")),
  methods: Type.Optional(Globs("Globs of the action's method; any when absent.")),
  paths: Type.Optional(Globs("Globs of the action's path; any when absent.")),
  constraints: Type.Optional(
    PropertyGlobs("Globs for properties of the action, by name; each of them must match."),
  ),
});

const SUBJECT = Closed({
  anyone: Type.Optional(
    Type.Boolean({ description: "True: every subject, also one without a user. Excludes the other fields." }),
  ),
  users: Type.Optional(Globs("Globs of the subject's user.")),
  groups: Type.Optional(Globs("Globs of the subject's groups; one of the groups must match.")),
  properties: Type.Optional(
    PropertyGlobs("Globs for properties of the subject, by name; each of them must match."),
  ),
});

export const CONFIG = Type.Object({
  mode: Choice(
    ["enforced", "permissive"],
    "enforced: refuse actions that no role permits; permissive: allow them, and count and log them.",
    { default: "enforced" },
  ),
  roles: MapOf(
    Closed({ rules: Type.Array(RULE, { minItems: 1, description: "The actions: one rule must match." }) }),
    { description: "Permitted actions, by the role's name." },
  ),
  bindings: Type.Array(
    Closed({
      role: Type.String({ minLength: 1, description: "The name of a role." }),
      subjects: Type.Array(SUBJECT, {
        minItems: 1,
        description: "Who has the role: one entry must match, with all its fields.",
      }),
    }),
    { description: "Who has which role." },
  ),
  status: Closed(
    {
      code: Choice(REFUSALS, "The status of a refusal.", { default: "PERMISSION_DENIED" }),
      message: Type.String({ default: "no role permits this", description: "Message to the client." }),
    },
    { default: {}, description: "The reply to a refused request." },
  ),
  validDuration: Duration("How long a proxy may reuse an answer; 0s for never.", { default: "10s" }),
  validUseCount: Type.Integer({
    minimum: 1,
    default: 10_000,
    description: "How often a proxy may reuse an answer.",
  }),
});

export type Config = Static<typeof CONFIG>;
export type RuleConfig = Static<typeof RULE>;
export type SubjectConfig = Static<typeof SUBJECT>;
export type PropertyGlobsConfig = Readonly<Record<string, readonly string[]>>;
