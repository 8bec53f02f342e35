// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import { Closed } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";

const EmptySetSpec = Closed({
  reason: Type.String({ minLength: 1, description: "Why the folder is empty." }),
});

export const EMPTY_SET = {
  kind: "EmptySet",
  apiVersions: ["purser.dev/v1"],
  description:
    "Marks a folder, and a set, as empty on purpose. Without this document an empty set is refused, because an unmounted volume looks the same.",
  spec: EmptySetSpec,
} as const satisfies KindDefinition;
