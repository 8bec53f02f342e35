// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Data, DataObject, DataPath } from "../../expressions/data.ts";

/**
 * The attributes of one request, as a nested object in Istio's vocabulary: `request.headers["x-user"]`. Plain
 * JSON: timestamps are ISO 8601 text, durations are numbers in the manifest's unit. An absent attribute is an
 * absent property, never null.
 */
export type AttributeBag = DataObject;

export type AttributeValue = Data;

/** Path of a value in a bag: `["request", "headers", "x-user"]`. */
export type AttributePath = DataPath;

/** The value at `path`, through own properties only; undefined when absent. */
export function valueAt(bag: AttributeBag, path: AttributePath): AttributeValue | undefined {
  let value: AttributeValue | undefined = bag as AttributeValue;
  for (const step of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, step))
      return undefined;
    value = (value as { readonly [key: string]: AttributeValue | undefined })[step];
  }
  return value;
}
