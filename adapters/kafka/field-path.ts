// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createRedaction, type TemplateName } from "../../plugins/sdk/index.ts";

/** Reads a text from an instance; undefined when it is absent or not a text, number or boolean. */
export type FieldReader = (template: TemplateName, instance: unknown) => string | undefined;

const BAG = "bag.";

/**
 * A reader of a dotted path, such as `variables.user` or `bag.request.headers.x-user`.
 *
 * @param redact More redacted attributes of bags. A path to a redacted attribute is always absent in decisions.
 */
export function fieldReader(path: string, redact: readonly string[]): FieldReader {
  const steps = path.split(".");
  const isHidden = path.startsWith(BAG) && isRedacted(steps.slice(1), redact);
  return (template, instance) => {
    if (isHidden && template === "decision") return undefined;
    let value: unknown = instance;
    for (const step of steps) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
      value = (value as Readonly<Record<string, unknown>>)[step];
    }
    switch (typeof value) {
      case "string":
        return value === "" ? undefined : value;
      case "number":
      case "bigint":
      case "boolean":
        return String(value);
      default:
        return undefined;
    }
  };
}

/** Whether a bag's value at these steps would be redacted. */
function isRedacted(steps: readonly string[], redact: readonly string[]): boolean {
  const bag: Record<string, unknown> = {};
  let node = bag;
  for (const step of steps.slice(0, -1)) node = node[step] = {} as Record<string, unknown>;
  node[steps.at(-1) as string] = "value";
  return createRedaction({ redact, hash: [], hashKey: "" })(bag).redacted.length > 0;
}
