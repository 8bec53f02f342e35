// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Inferred } from "../inference/inferred.ts";
import { checkPart } from "./parts.ts";
import { checkPattern, checkShape } from "./patterns.ts";
import { checkWholes } from "./wholes.ts";

/** Notes the tests whose constant the subject can never equal, contain or match. */
export function checkImpossible(inference: Inferred): void {
  for (const test of inference.tests.values()) {
    if (test.subject.shape.constant !== undefined) continue;
    if (test.manner === "equal") checkWholes(test, inference);
    else if (test.manner === "pattern") checkPattern(test, inference);
    else if (test.manner === "glob" || test.manner === "template") checkShape(test, inference);
    else if (test.manner !== "order" || test.subject.shape.form?.noun === "a time")
      checkPart(test, inference);
  }
}
