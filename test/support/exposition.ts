// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Mixer } from "../../mixer/mixer.ts";

/** The mixer's page of metrics as text. */
export async function expositionOf(mixer: Mixer, format: "text" | "openmetrics" = "text"): Promise<string> {
  let text = "";
  for await (const part of await mixer.exposition(format)) text += String(part);
  return text;
}
