// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Choice, Closed, Duration, type Static, Type } from "../sdk/index.ts";

const Operation = Closed(
  {
    operation: Choice(
      ["set", "append", "remove"],
      "set: replace or add; append: add after the existing values; remove: delete all values.",
    ),
    name: Type.String({
      minLength: 1,
      maxLength: 256,
      description: "The header's name; case does not matter.",
    }),
    value: Type.Optional(Type.String({ description: "A constant value. Write either value or from." })),
    from: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          "Key of the value in the headers instance's values; the operation is skipped when the value is absent.",
      }),
    ),
  },
  { description: "One change to one header." },
);

export type OperationConfig = Static<typeof Operation>;

export const CONFIG = Type.Object({
  request: Type.Array(Operation, {
    default: [],
    maxItems: 100,
    description: "Changes to the request before it is forwarded, in order.",
  }),
  response: Type.Array(Operation, {
    default: [],
    maxItems: 100,
    description: "Changes to the response before it is sent back, in order.",
  }),
  validDuration: Duration("How long a proxy may reuse the answer for the same values.", { default: "10s" }),
  validUseCount: Type.Integer({
    minimum: 1,
    default: 10_000,
    description: "How often a proxy may reuse the answer for the same values.",
  }),
});

export type Config = Static<typeof CONFIG>;
