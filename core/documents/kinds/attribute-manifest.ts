// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import { MapOf } from "./map-of.ts";
import { ATTRIBUTE_FORMS } from "../../../expressions/manifest/forms.ts";
import { ATTRIBUTE_TYPES, PHASES } from "../../../expressions/manifest/manifest-spec.ts";
import { Choice, Closed } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";

const AttributeManifestSchema = Closed({
  attributes: MapOf(
    Closed({
      type: Choice(
        ATTRIBUTE_TYPES,
        "The value's type. TIMESTAMP is ISO 8601 text; DURATION is a number of `unit`.",
      ),
      form: Type.Optional(
        Choice(
          ATTRIBUTE_FORMS,
          "The canonical form of the values; expressions get a warning for constants that no value can equal. " +
            "See docs/reference/attributes.md. Default: address for IP_ADDRESS, host for DNS_NAME, timestamp for TIMESTAMP.",
        ),
      ),
      values: Type.Optional(
        Type.Array(Type.String(), {
          minItems: 1,
          description: "All values that a STRING can have, such as http and https.",
        }),
      ),
      unit: Type.Optional(Type.String({ description: "The unit of a number, such as ms or bytes." })),
      phase: Type.Optional(Choice(PHASES, "When the value is known; default request.")),
      optional: Type.Optional(Type.Boolean({ description: "Whether it may be absent; default true." })),
      description: Type.Optional(Type.String()),
    }),
  ),
});

export const ATTRIBUTE_MANIFEST = {
  kind: "AttributeManifest",
  apiVersions: ["purser.dev/v1"],
  description: "Declares attributes beyond the built-in ones.",
  spec: AttributeManifestSchema,
} as const satisfies KindDefinition;
