// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { jsonataFunctions, type ReferenceFunction } from "../runtime/jsonata-functions.ts";
import { GATEWAY_FUNCTIONS } from "./added/functions.ts";

/** A function of JSONata's, or a gateway's, by its name without the `$`; undefined when there is none. */
export const builtinOf: (name: string) => ReferenceFunction | undefined = jsonataFunctions(GATEWAY_FUNCTIONS);
