// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { deny } from "./deny/index.ts";
import { headerOperations } from "./header-operations/index.ts";
import { list } from "./list/index.ts";
import type { PluginDefinition } from "./sdk/index.ts";

/** The bundled plugins. */
export const BUNDLED_PLUGINS: readonly PluginDefinition[] = [deny, headerOperations, list];
