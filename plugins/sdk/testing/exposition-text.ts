// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { pageOf } from "../../../core/exposition/page.ts";
import type { ExpositionFormat } from "../../../core/exposition/formats.ts";
import type { AdapterHandler } from "../../../core/hooks/extension.ts";

/** Everything that a handler exposes, in one of the text formats; empty when it exposes nothing. */
export async function expositionText(
  handler: AdapterHandler,
  format: Exclude<ExpositionFormat, "protobuf"> = "text",
): Promise<string> {
  const given = (await handler.exposition?.()) ?? "";
  return typeof given === "string" ? given : [...pageOf([...given], format)].join("");
}
