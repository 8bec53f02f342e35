// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Case } from "./case.ts";
import { CONDITIONS } from "./conditions.ts";
import { TEXTS } from "./texts.ts";
import { VALUES } from "./values.ts";

export type { Case } from "./case.ts";
export { BAGS } from "./bags.ts";

export const CASES: readonly Case[] = [...CONDITIONS, ...TEXTS, ...VALUES];
