// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { BatchWriter, defineAdapter, LogFile } from "../../plugins/sdk/index.ts";
import { Config } from "./config.ts";
import { createLineFormat } from "./line.ts";

/** Shorter keys can be guessed, which reveals hashed values. */
const MIN_KEY_LENGTH = 16;

/** Writes each finished request with its decision as a line of JSON, which `purser replay` reads. */
export const decisionLog = defineAdapter({
  name: "decision-log",
  description:
    "Writes each finished request and its decision to a file, a line of JSON each, for purser replay.",
  templates: ["decision"],
  confined: true,
  config: Config,
  check({ hash, hashKey = "" }) {
    if (hash.length === 0 || hashKey.length >= MIN_KEY_LENGTH) return [];
    const message = `hash names attributes, so hashKey must be a text of at least ${MIN_KEY_LENGTH} characters`;
    return [{ path: ["hashKey"], message }];
  },
  build({ config }) {
    const format = createLineFormat(config);
    const writer = new BatchWriter(new LogFile(config));
    return {
      decision(batch, { signal }) {
        const text = (): string => {
          let lines = "";
          for (const instance of batch) {
            const line = format(instance);
            if (line !== undefined) lines += `${line}\n`;
          }
          return lines;
        };
        return writer.write(batch, text, signal);
      },
      healthy: () => writer.healthy,
      close: () => writer.close(),
    };
  },
});
