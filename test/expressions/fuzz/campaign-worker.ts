// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { parentPort, workerData } from "node:worker_threads";
import { runCampaign } from "./campaign.ts";
import { heartbeatWriter } from "./heartbeat.ts";
import type { WorkerMessage, WorkerTask } from "./supervisor.ts";

const { seed, runs, timeMs, heartbeat } = workerData as WorkerTask;
const send = (message: WorkerMessage) => parentPort?.postMessage(message);

// Failures are frequent here, and capturing their stacks is slow.
Error.stackTraceLimit = 0;
const campaign = await runCampaign({
  seed,
  runs,
  timeMs,
  onExpression: heartbeatWriter(heartbeat),
  onDivergence: (divergence) => send({ kind: "divergence", divergence }),
  onBatch: (soFar) => send({ kind: "batch", campaign: soFar }),
});
send({ kind: "done", campaign });
