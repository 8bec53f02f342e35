// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type TSchema, type TSchemaOptions } from "typebox";

/** Any key. TypeBox gives a record of Type.String() the pattern `^.*$`, and checks no value under a key with a line break. */
const KEY = Type.String({ pattern: "^[\\s\\S]*$" });

/** The schema of a map from any texts to `value`, which is checked under every key. */
export function MapOf<V extends TSchema>(value: V, options: TSchemaOptions = {}) {
  return Type.Record(KEY, value, options);
}
