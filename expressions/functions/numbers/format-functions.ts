// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../../errors/expression-error.ts";
import { perCharacter } from "../costs.ts";
import type { FunctionDefinition } from "../definition.ts";
import { chargePictures, checkPicture, PICTURE_LENGTH } from "../pictures.ts";
import { endingFormat, refuseEndlessNumber } from "./ending-formats.ts";

/** Numbers as text, and back. */
export const FORMAT_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "formatNumber",
    signature: "<n-so?:s>",
    cost: chargePictures,
    implementation: endingFormat("formatNumber"),
    restriction: {
      refuse([value, picture, options]) {
        refuseEndlessNumber(value);
        checkPicture(picture);
        for (const option of Object.values((options ?? {}) as object)) {
          if (typeof option !== "string" || option.length === 0 || option.length > PICTURE_LENGTH)
            throw new ExpressionError(
              "D3080",
              "the options of $formatNumber must be short, non-empty strings",
            );
        }
      },
    },
  },
  { name: "formatBase", signature: "<n-n?:s>" },
  {
    name: "formatInteger",
    signature: "<n-s:s>",
    cost: chargePictures,
    implementation: endingFormat("formatInteger"),
    restriction: {
      refuse([value, picture]) {
        refuseEndlessNumber(value);
        checkPicture(picture);
      },
    },
  },
  {
    name: "parseInteger",
    signature: "<s-s:n>",
    cost: perCharacter(1),
    restriction: { refuse: ([, picture]) => checkPicture(picture) },
  },
];
