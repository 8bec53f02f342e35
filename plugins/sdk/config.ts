// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TSchema } from "typebox";
import Value from "typebox/value";
import { schemaFaults, type SchemaFault } from "../../core/documents/schema/faults.ts";

/**
 * A handler's configuration as the host passes it, with defaults filled in; and its faults, as messages for
 * users.
 */
export function fillConfig(
  schema: TSchema,
  written: unknown,
): { readonly config: unknown; readonly faults: readonly SchemaFault[] } {
  const config = Value.Default(schema, Value.Clone(written));
  return { config, faults: schemaFaults(schema, config, ["config"]) };
}
