// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Worker } from "node:worker_threads";
import { type Campaign, type Divergence, emptyCampaign, mergeCampaign } from "./campaign.ts";
import { newHeartbeat, readHeartbeat } from "./heartbeat.ts";

export interface WorkerTask {
  readonly seed: number;
  readonly runs: number;
  readonly timeMs: number;
  readonly heartbeat: SharedArrayBuffer;
}

export type WorkerMessage =
  | { readonly kind: "divergence"; readonly divergence: Divergence }
  | { readonly kind: "batch" | "done"; readonly campaign: Campaign };

export interface SupervisedOptions {
  readonly seed: number;
  readonly runs: number;
  readonly timeMs: number;
  readonly onDivergence?: (divergence: Divergence) => void;
  readonly onBatch?: (campaign: Campaign) => void;
  /** Called with an expression that did not end; its input is unknown. */
  readonly onHang?: (source: string) => void;
}

export interface SupervisedCampaign {
  readonly campaign: Campaign;
  readonly hangs: readonly string[];
}

/**
 * Time after which an expression counts as hung, longer than the limits of both engines on a busy machine.
 */
const HANG_MS = 20_000;
const LOOK_EVERY_MS = 500;
/**
 * Number of hung expressions that ends the campaign: they probably have a common cause, which is to be fixed
 * first.
 */
const HANGS_MAX = 20;

/** Runs a campaign in a worker, so that an expression on which an engine hangs loses only its batch. */
export async function superviseCampaign(options: SupervisedOptions): Promise<SupervisedCampaign> {
  const total = emptyCampaign(options.seed);
  const hangs: string[] = [];
  const endMs = performance.now() + options.timeMs;
  for (;;) {
    const timeMs = endMs - performance.now();
    if (timeMs <= 0 || total.cases >= options.runs || hangs.length >= HANGS_MAX) break;
    const task: WorkerTask = {
      // Batches have consecutive seeds; the seed of a hung batch is skipped.
      seed: options.seed + total.batches + hangs.length,
      runs: options.runs - total.cases,
      timeMs,
      heartbeat: newHeartbeat(),
    };
    const { campaign, hang } = await runWorker(task, total, options);
    mergeCampaign(total, campaign);
    if (hang === undefined) break;
    hangs.push(hang);
    options.onHang?.(hang);
  }
  return { campaign: total, hangs };
}

/** Entry of the worker, which does not inherit the TypeScript loader: loads it, then the worker's module. */
const WORKER_ENTRY = new URL(
  `data:text/javascript,${encodeURIComponent(
    `import { register } from ${JSON.stringify(import.meta.resolve("tsx/esm/api"))};
     register();
     await import(${JSON.stringify(new URL("./campaign-worker.ts", import.meta.url).href)});`,
  )}`,
);

interface WorkerEnd {
  readonly campaign: Campaign;
  readonly hang?: string;
}

function runWorker(task: WorkerTask, total: Campaign, options: SupervisedOptions): Promise<WorkerEnd> {
  const worker = new Worker(WORKER_ENTRY, { workerData: task });
  let latest = emptyCampaign(task.seed);
  let seen = { count: -1, atMs: performance.now() };
  return new Promise<WorkerEnd>((resolve, reject) => {
    const watch = setInterval(() => {
      const { count, source } = readHeartbeat(task.heartbeat);
      const nowMs = performance.now();
      if (count !== seen.count) seen = { count, atMs: nowMs };
      else if (nowMs - seen.atMs > HANG_MS) end({ campaign: latest, hang: source });
    }, LOOK_EVERY_MS);
    const end = (result: WorkerEnd) => {
      clearInterval(watch);
      worker.removeAllListeners();
      worker.terminate().then(() => resolve(result), reject);
    };
    worker.on("error", (error) => {
      clearInterval(watch);
      reject(error);
    });
    worker.on("message", (message: WorkerMessage) => {
      if (message.kind === "divergence") {
        if (!total.divergences.has(message.divergence.shape)) options.onDivergence?.(message.divergence);
        return;
      }
      latest = message.campaign;
      if (message.kind === "done") end({ campaign: latest });
      else options.onBatch?.(mergeCampaign(structuredClone(total), latest));
    });
  });
}
