// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { Choice, Closed, Reference, REFUSED_KEYWORD } from "./fields.ts";
import { TargetRefs } from "./target-refs.ts";
import { SelectedLabels } from "./traffic-fields.ts";

const AUTHORIZATION_ACTIONS = ["ALLOW", "DENY", "AUDIT", "CUSTOM"] as const;

function Values(description: string) {
  return Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 4_096 }), {
      minItems: 1,
      maxItems: 1_000,
      description,
    }),
  );
}

const WILDCARDS = "Each is a whole value, `prefix*`, `*suffix`, or `*` for any value.";

const Source = Closed(
  {
    principals: Values(
      `Identities in the caller's certificate, such as \`cluster.local/ns/shop/sa/web\`. ${WILDCARDS}`,
    ),
    notPrincipals: Values("None of these identities, or no certificate."),
    requestPrincipals: Values(`Users by their tokens, \`ISSUER/SUBJECT\`. ${WILDCARDS}`),
    notRequestPrincipals: Values("None of these users, or no token."),
    namespaces: Values(`Namespaces in the caller's certificate. ${WILDCARDS}`),
    notNamespaces: Values("None of these namespaces, or no certificate."),
    serviceAccounts: Values(
      "Service accounts in the caller's certificate: `NAMESPACE/NAME`, or `NAME` in the policy's namespace. Without wildcards.",
    ),
    notServiceAccounts: Values("None of these service accounts, or no certificate."),
    ipBlocks: Values("Addresses of the connection: `203.0.113.7` or `203.0.113.0/24`."),
    notIpBlocks: Values("None of these addresses."),
    remoteIpBlocks: Values(
      "Addresses of the client that the request first came from, by `x-forwarded-for` and the proxy's trusted hops.",
    ),
    notRemoteIpBlocks: Values("None of these addresses."),
  },
  { minProperties: 1, description: "The caller; all fields must hold." },
);

const Operation = Closed(
  {
    hosts: Values(`Hosts of the request, in any case; without a port they hold for every port. ${WILDCARDS}`),
    notHosts: Values("None of these hosts."),
    ports: Values("Ports that the connection was made to."),
    notPorts: Values("None of these ports."),
    methods: Values(`HTTP methods; a gRPC call has POST. ${WILDCARDS}`),
    notMethods: Values("None of these methods."),
    paths: Values(
      `Paths in canonical form, without the query. ${WILDCARDS} Or a template: \`{*}\` is one segment, \`{**}\` at the end the rest of the path.`,
    ),
    notPaths: Values("None of these paths."),
  },
  { minProperties: 1, description: "The request; all fields must hold." },
);

const Condition = Closed(
  {
    key: Type.String({
      minLength: 1,
      maxLength: 1_024,
      description:
        "`request.headers[NAME]`, `source.ip`, `remote.ip`, `source.namespace`, `source.principal`, `request.auth.principal`, " +
        "`request.auth.audiences`, `request.auth.presenter`, `request.auth.claims[NAME]` (`[A][B]` for a claim within a claim), " +
        "`destination.ip`, `destination.port` or `connection.sni`.",
    }),
    values: Values(`The attribute has one of these values. ${WILDCARDS}`),
    notValues: Values("The attribute has none of these values, or is absent."),
  },
  { description: "A condition on an attribute." },
);

const Rule = Closed(
  {
    from: Type.Optional(
      Type.Array(Closed({ source: Source }), {
        minItems: 1,
        description: "One must hold; any caller when absent.",
      }),
    ),
    to: Type.Optional(
      Type.Array(Closed({ operation: Operation }), {
        minItems: 1,
        description: "One must hold; any request when absent.",
      }),
    ),
    when: Type.Optional(Type.Array(Condition, { minItems: 1, description: "All must hold." })),
  },
  { description: "Holds for a request when `from`, `to` and `when` do; `{}` holds for every request." },
);

export const AuthorizationPolicySpec = Closed(
  {
    selector: Type.Optional(
      Closed(
        { matchLabels: Type.Optional(SelectedLabels()) },
        {
          description:
            "The workloads that the policy protects; all workloads of its namespace when absent, and of the mesh in the root namespace.",
        },
      ),
    ),
    targetRefs: TargetRefs(),
    action: Type.Optional(
      Choice(
        AUTHORIZATION_ACTIONS,
        "ALLOW (default): where ALLOW policies protect a workload, one of their rules must hold; without rules the policy allows " +
          "nothing. DENY: a request for which a rule holds is refused. AUDIT: such a request is recorded. CUSTOM: a handler decides about it.",
      ),
    ),
    provider: Type.Optional(
      Closed(
        { name: Reference("Handler", "A Handler that implements `authorization`.") },
        { description: "With `action: CUSTOM`: the handler that decides." },
      ),
    ),
    rules: Type.Optional(
      Type.Array(Rule, {
        minItems: 1,
        maxItems: 512,
        description: "One must hold; without rules none does.",
      }),
    ),
  },
  {
    [REFUSED_KEYWORD]: {
      targetRef: "it is the old form of targetRefs; write targetRefs: [{ group, kind, name }]",
    },
  },
);

export type AuthorizationPolicySpec = Static<typeof AuthorizationPolicySpec>;
export type AuthorizationRule = Static<typeof Rule>;
export type AuthorizationSource = Static<typeof Source>;
export type AuthorizationOperation = Static<typeof Operation>;
export type AuthorizationCondition = Static<typeof Condition>;
