// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { FunctionDefinition } from "./definition.ts";
import { BASE64URL_FUNCTIONS } from "./encoding/base64url.ts";
import { ENCODING_FUNCTIONS } from "./encoding/encoding-functions.ts";
import { HASH_FUNCTIONS } from "./encoding/hash.ts";
import { JSON_FUNCTIONS } from "./encoding/json.ts";
import { LIST_FUNCTIONS } from "./lists/list-functions.ts";
import { FORMAT_FUNCTIONS } from "./numbers/format-functions.ts";
import { NUMBER_FUNCTIONS } from "./numbers/number-functions.ts";
import { ADDRESS_FUNCTIONS } from "./patterns/address-prefix.ts";
import { CIDR_FUNCTIONS } from "./patterns/cidr.ts";
import { GLOB_FUNCTIONS } from "./patterns/glob.ts";
import { PATH_FUNCTIONS } from "./patterns/paths.ts";
import { SEMVER_FUNCTIONS } from "./patterns/semver.ts";
import { SEARCH_FUNCTIONS } from "./text/search-functions.ts";
import { COMPARISON_FUNCTIONS } from "./text/text-comparisons.ts";
import { TEXT_FUNCTIONS } from "./text/text-functions.ts";
import { TIME_FUNCTIONS } from "./time/time-functions.ts";
import { ZONE_FUNCTIONS } from "./time/zoned-time.ts";
import { OBJECT_FUNCTIONS } from "./values/object-functions.ts";
import { VALUE_FUNCTIONS } from "./values/value-functions.ts";

/**
 * Every function that expressions may call, by name without the `$`, grouped by family, in the order of
 * docs/reference/functions.md. JSONata's `$eval` is left out: static checks cannot see what its text reads.
 */
export const FUNCTIONS: ReadonlyMap<string, FunctionDefinition> = new Map(
  [
    ...TEXT_FUNCTIONS,
    ...SEARCH_FUNCTIONS,
    ...COMPARISON_FUNCTIONS,
    ...CIDR_FUNCTIONS,
    ...ADDRESS_FUNCTIONS,
    ...PATH_FUNCTIONS,
    ...GLOB_FUNCTIONS,
    ...SEMVER_FUNCTIONS,
    ...ENCODING_FUNCTIONS,
    ...BASE64URL_FUNCTIONS,
    ...JSON_FUNCTIONS,
    ...HASH_FUNCTIONS,
    ...NUMBER_FUNCTIONS,
    ...FORMAT_FUNCTIONS,
    ...LIST_FUNCTIONS,
    ...VALUE_FUNCTIONS,
    ...OBJECT_FUNCTIONS,
    ...TIME_FUNCTIONS,
    ...ZONE_FUNCTIONS,
  ].map((definition) => [definition.name, definition]),
);
