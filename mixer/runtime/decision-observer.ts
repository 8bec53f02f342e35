// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { formatDocumentRef } from "../../core/check/document-ref.ts";
import type { CheckObserver } from "../../core/check/ports.ts";
import type { HandlerHost } from "./handlers/host.ts";

/**
 * Maximum number of names of refused attributes that are logged for one active snapshot: a plugin may make names from requests.
 */
const LOGGED_NAMES = 100;

/**
 * Counts the outcomes and failures of documents. Each failure is counted, but logged only once per document
 * and active snapshot: a document that fails for one request fails for many.
 */
export function createDecisionObserver({
  metrics,
  logger,
}: Pick<HandlerHost, "metrics" | "logger">): CheckObserver {
  const logged = new Set<string>();
  const loggedNames = new Set<string>();
  return {
    outcome: (ref, outcome) => metrics.outcome(ref, outcome),
    fault: (ref, { code, detail }) => {
      metrics.fault(ref, code);
      const document = formatDocumentRef(ref);
      const key = `${document} ${code}`;
      if (logged.has(key)) return;
      logged.add(key);
      logger.warn("a document could not be evaluated; its further failures are only counted", {
        document,
        code,
        detail,
      });
    },
    attributeRefused: ({ name: handler }, { name, reason, detail }) => {
      metrics.attributeRefused(handler, reason);
      const key = JSON.stringify([handler, name]);
      if (loggedNames.size >= LOGGED_NAMES || loggedNames.has(key)) return;
      loggedNames.add(key);
      logger.warn("an attribute of a plugin was left out; further ones of this name are only counted", {
        handler,
        attribute: name,
        reason,
        detail,
      });
    },
  };
}
