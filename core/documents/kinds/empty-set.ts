// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import { Closed } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";

const EmptySetSpec = Closed({
  reason: Type.String({ minLength: 1, description: "Why nothing else is there, for the next reader." }),
});

export const EMPTY_SET = {
  kind: "EmptySet",
  apiVersions: ["purser.dev/v1"],
  description:
    "Marks a folder, and a set, as empty on purpose. Without it a set that has nothing to enforce is refused, because a lost volume looks the same.",
  spec: EmptySetSpec,
} as const satisfies KindDefinition;
