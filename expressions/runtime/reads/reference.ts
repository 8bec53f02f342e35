// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DataPath } from "../../data.ts";

/**
 * One thing that a decision read from the bag. The decision stays right for every request that agrees in all of them:
 * `EXACT`: the value at `path`, whole, is the same; `ABSENCE`: there is no value at `path`; `PRESENCE`: there is an
 * object at `path`, whatever it holds (`$exists(request.headers)` depends on no more than that).
 * (Mixer's ReferencedAttributes, without its REGEX condition, which clients could not use.)
 */
export interface AttributeReference {
  readonly path: DataPath;
  readonly condition: "EXACT" | "ABSENCE" | "PRESENCE";
}
