// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { deserialize, serialize } from "node:v8";
import type { SpoolCodec } from "../../../delivery/spool/spool-files.ts";

/**
 * V8's own form of values: unlike JSON it brings back what went in, such as NaN, absent fields and circular references. Newer
 * versions of Node read what older ones wrote.
 */
export const SPOOL_CODEC: SpoolCodec<unknown> = {
  encode: (item) => serialize(item),
  decode: (bytes) => deserialize(bytes) as unknown,
};
