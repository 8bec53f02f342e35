// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Proxy } from "../proxy.ts";
import type { WorkerAnswers, WorkerMessage, WorkerQuestion } from "./worker-messages.ts";

/** Answers one question of the pool about this worker's proxy. */
export async function answerOf(
  proxy: Proxy,
  id: number,
  question: WorkerQuestion,
): Promise<Extract<WorkerMessage, { readonly kind: "answer" }>> {
  return { kind: "answer", id, answer: await aboutProxy[question](proxy) };
}

const aboutProxy: { readonly [Q in WorkerQuestion]: (proxy: Proxy) => Promise<WorkerAnswers[Q]> } = {
  metrics: (proxy) => proxy.registry.getMetricsAsJSON(),
  clusters: async (proxy) => proxy.clusters(),
  resources: async (proxy) => proxy.resources() ?? null,
  unreadiness: async (proxy) => proxy.unreadiness() ?? null,
};
