// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { BASE64URL_FUNCTIONS } from "./texts/base64url.ts";
import { CIDR_FUNCTIONS } from "./patterns/cidr.ts";
import type { GatewayFunction } from "./function.ts";
import { GLOB_FUNCTIONS } from "./patterns/glob.ts";
import { HASH_FUNCTIONS } from "./texts/hash.ts";
import { JSON_FUNCTIONS } from "./texts/json.ts";
import { PATH_FUNCTIONS } from "./patterns/paths.ts";
import { SEMVER_FUNCTIONS } from "./patterns/semver.ts";
import { TEXT_FUNCTIONS } from "./texts/texts.ts";
import { TIME_FUNCTIONS } from "./times/zoned-time.ts";

export type { GatewayFunction } from "./function.ts";

/** Every function that expressions have besides JSONata's, in the order of docs/functions.md. */
export const GATEWAY_FUNCTIONS: readonly GatewayFunction[] = [
  ...CIDR_FUNCTIONS,
  ...PATH_FUNCTIONS,
  ...GLOB_FUNCTIONS,
  ...TEXT_FUNCTIONS,
  ...TIME_FUNCTIONS,
  ...SEMVER_FUNCTIONS,
  ...HASH_FUNCTIONS,
  ...JSON_FUNCTIONS,
  ...BASE64URL_FUNCTIONS,
];
