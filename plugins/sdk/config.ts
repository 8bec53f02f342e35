// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TSchema } from "typebox";
import Value from "typebox/value";
import { schemaFaults, type SchemaFault } from "../../core/documents/schema/faults.ts";

/**
 * A handler's configuration as the host would give it: defaults filled in; and what is wrong with it, in the words
 * that a user would read.
 */
export function fillConfig(
  schema: TSchema,
  written: unknown,
): { readonly config: unknown; readonly faults: readonly SchemaFault[] } {
  const config = Value.Default(schema, Value.Clone(written));
  return { config, faults: schemaFaults(schema, config, ["config"]) };
}
