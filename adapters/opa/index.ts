// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { defineAdapter } from "../../plugins/sdk/index.ts";
import { Answers } from "./answer.ts";
import { CONFIG, faultsOf, healthUrl } from "./config.ts";
import { Decisions } from "./decisions.ts";

/** Longest wait for OPA's own health report, in milliseconds. */
const HEALTH_TIMEOUT_MS = 500;

/** Has an Open Policy Agent decide what a subject may do. */
export const opa = defineAdapter({
  name: "opa",
  description: "Asks an Open Policy Agent whether a subject may take an action.",
  templates: ["authorization"],
  config: CONFIG,
  check: faultsOf,
  build({ config, http, logger, clock, random, scheduler }) {
    const answers = new Answers(config);
    const decisions = new Decisions({ config, http, clock, random });
    const healthChecks = new Set<AbortController>();
    return {
      async authorization(instance, call) {
        const { id, result } = await decisions.ask(instance, call);
        const answer = answers.of(result);
        logger.debug("OPA decided", { path: config.path, decisionId: id, code: answer.status.code });
        return answer;
      },
      async healthy() {
        const deadline = new AbortController();
        const cancel = scheduler.after(HEALTH_TIMEOUT_MS, () => deadline.abort());
        healthChecks.add(deadline);
        try {
          return (await http.request({ url: healthUrl(config) }, deadline)).status === 200;
        } catch {
          return false;
        } finally {
          cancel();
          healthChecks.delete(deadline);
        }
      },
      close() {
        // The host ends the other calls under way with the client.
        for (const deadline of healthChecks) deadline.abort();
      },
    };
  },
});
