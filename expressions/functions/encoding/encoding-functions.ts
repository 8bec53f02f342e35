// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { perCharacter } from "../costs.ts";
import type { FunctionDefinition } from "../definition.ts";

/** JSONata's encodings of text. */
export const ENCODING_FUNCTIONS: readonly FunctionDefinition[] = [
  { name: "base64encode", signature: "<s-:s>", cost: perCharacter(0.5) },
  { name: "base64decode", signature: "<s-:s>", cost: perCharacter(0.5) },
  { name: "encodeUrl", signature: "<s-:s>", cost: perCharacter(0.5) },
  { name: "encodeUrlComponent", signature: "<s-:s>", cost: perCharacter(0.5) },
  { name: "decodeUrl", signature: "<s-:s>", cost: perCharacter(0.5) },
  { name: "decodeUrlComponent", signature: "<s-:s>", cost: perCharacter(0.5) },
];
