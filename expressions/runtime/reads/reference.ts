// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DataPath } from "../../data.ts";

/**
 * One reference: a fact that a decision read from the bag. The decision holds for every request in which all
 * its references agree. `EXACT`: the whole value at `path` is the same; `ABSENCE`: there is no value at
 * `path`; `PRESENCE`: there is an object at `path`, with any content (`$exists(request.headers)` depends on
 * no more). (Mixer's ReferencedAttributes without its REGEX condition, which clients could not use.)
 */
export interface AttributeReference {
  readonly path: DataPath;
  readonly condition: "EXACT" | "ABSENCE" | "PRESENCE";
}
