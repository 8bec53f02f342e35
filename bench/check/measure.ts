// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CHECK_PATH, decodeCheckReply } from "../../api/json/check.ts";
import type { CheckReply } from "../../api/mixer-service.ts";
import type { BenchReport } from "../../tools/bench/report.ts";
import type { Progress } from "../../tools/progress.ts";
import type { CommonFlags } from "../flags.ts";
import type { Ready } from "../proxy/contenders/contender.ts";
import { Entry, rotated } from "../proxy/entry.ts";
import { runWrk } from "../proxy/load/wrk.ts";
import type { Children } from "../machine/children.ts";
import { type Cores, moveTo } from "../machine/cores.ts";
import { checkBody, writeBags, writeCheckScript } from "./check-requests.ts";
import { type ContenderName, koaApp, mixerWith, PROGRAM, writePolicies } from "./contenders.ts";

export interface Options extends CommonFlags {
  readonly cores: Cores;
}

export interface Measured {
  readonly entries: readonly Entry[];
  readonly decision: BenchReport["decision"];
}

/** The name under which an entry keeps its runs. */
export const WORKLOAD = "check";

/** Time for the decision's own figures. */
const DECISION_SECONDS = 4;
/** Number of the quotas in the documents. */
const QUOTAS = 3;

/** Measures the contenders in turn. Everything that it starts is in `children`, also when it fails. */
export async function measure(options: Options, children: Children, progress: Progress): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "purser-check-bench-"));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", removeFolder);
  try {
    moveTo(options.cores.load);
    const documents = writePolicies(folder);
    const start = (name: ContenderName, ready: Ready): Promise<Entry> => {
      progress.at(`${name}: start`);
      return started(new Entry(name, ready, children, options.cores, folder));
    };
    const mixer = await start("mixer", await mixerWith(documents, options.node));
    const reply = await mixer.turn(() => replyOf(mixer));
    const koa = await start("koa", await koaApp("koa", folder, options.node, reply));
    const short = await start("koa-short", await koaApp("koa-short", folder, options.node));
    const entries = [koa, short, mixer];
    const script = writeCheckScript(folder);
    const load = (entry: Entry, seconds: number): ReturnType<typeof runWrk> =>
      runWrk(children, { core: options.cores.load, script, port: entry.port, seconds });
    for (const entry of entries) {
      progress.at(`${entry.name}: warming up`);
      await entry.turn(() => entry.warmUp(() => load(entry, options.warmUp)));
    }
    for (let round = 0; round < options.rounds; round++) {
      for (const entry of rotated(entries, round)) {
        progress.at(`round ${round + 1} of ${options.rounds}: ${entry.name}`);
        await entry.timed(WORKLOAD, () => load(entry, options.seconds));
        if (entry.throughput(WORKLOAD).at(-1) === 0)
          throw new Error(
            `${entry.name} answered nothing in round ${round + 1}: run again on a quiet machine`,
          );
      }
    }
    for (const entry of entries) await entry.end();
    progress.at("the decision");
    return { entries, decision: await decisionFigures(documents, folder, options, children) };
  } finally {
    await children.stopAll();
    removeFolder();
    process.removeListener("exit", removeFolder);
  }
}

async function started(entry: Entry): Promise<Entry> {
  await entry.start();
  entry.rest();
  return entry;
}

/** The mixer's reply to a check of the load, which must be allowed and charged to all quotas. */
async function replyOf({ port }: Entry): Promise<CheckReply> {
  const response = await fetch(`http://127.0.0.1:${port}${CHECK_PATH}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: checkBody(0, "the first"),
  });
  const reply = decodeCheckReply(await response.json(), {});
  const { code } = reply.decision.status;
  const charged = reply.quotas.filter(({ granted }) => granted > 0).length;
  if (code === "OK" && charged === QUOTAS) return reply;
  throw new Error(`the mixer answered ${code} and charged ${charged} quotas, not OK and ${QUOTAS}`);
}

/** Figures of `purser bench` for the decision alone, without HTTP and quota stores. */
async function decisionFigures(
  documents: string,
  folder: string,
  { node, cores }: Options,
  children: Children,
): Promise<BenchReport["decision"]> {
  const args = ["bench", "--config", documents, "--bags", writeBags(folder), "--json"];
  const output = await children.output(cores.proxy, [
    node,
    PROGRAM,
    ...args,
    "--seconds",
    String(DECISION_SECONDS),
  ]);
  return (JSON.parse(output) as BenchReport).decision;
}
