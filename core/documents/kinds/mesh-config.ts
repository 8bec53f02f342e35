// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import {
  DEFAULT_PATH_NORMALIZATION,
  PATH_NORMALIZATIONS,
  type PathNormalization,
} from "../../../kernel/canonical/path.ts";
import { Choice, Closed } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";
import { faultsOfLimits, LimitsSpec } from "./listener-limits.ts";

const MeshConfigSpec = Closed({
  pathNormalization: Type.Optional(
    Closed(
      {
        normalization: Choice(
          PATH_NORMALIZATIONS,
          "`NONE`: paths are unchanged, and policies on paths can be bypassed. `BASE`: escapes of unreserved characters " +
            "are decoded, `\\` is `/`, dot segments are resolved. `MERGE_SLASHES` (default): BASE, and `//` is `/`. " +
            "`DECODE_AND_MERGE_SLASHES`: `%2F` and `%5C` are `/` as well; for upstreams that decode them.",
        ),
      },
      { description: "The form of paths that policies, routes and upstreams see." },
    ),
  ),
  limits: Type.Optional(LimitsSpec),
});

export type MeshConfigSpec = Static<typeof MeshConfigSpec>;

export const MESH_CONFIG = {
  kind: "MeshConfig",
  apiVersions: ["purser.dev/v1"],
  description:
    "Settings of the whole mesh, with Istio's names for those that Istio's MeshConfig has. One at most.",
  spec: MeshConfigSpec,
  check: ({ limits }: MeshConfigSpec) => (limits === undefined ? [] : faultsOfLimits(limits)),
} as const satisfies KindDefinition;

/** The setting of the MeshConfig, or the default. */
export function pathNormalizationOf(spec: MeshConfigSpec | undefined): PathNormalization {
  return spec?.pathNormalization?.normalization ?? DEFAULT_PATH_NORMALIZATION;
}
