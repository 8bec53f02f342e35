// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HeaderList } from "../../contract/header-list.ts";
import { UnsendableHead } from "../../contract/unsendable-head.ts";

const NO_FIELDS: readonly string[] = [];

/** The trailers as name, value, name, value …; none when they cannot be sent: the body is whole without them. */
export function sendableFields(trailers: HeaderList | undefined): readonly string[] {
  if (trailers === undefined || trailers.size === 0) return NO_FIELDS;
  try {
    return trailers.sendable();
  } catch (error) {
    if (error instanceof UnsendableHead) return NO_FIELDS;
    throw error;
  }
}
