// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { showProgress } from "../../tools/replay/progress.ts";
import { type ReplayFlags, runReplay } from "../../tools/replay/run-replay.ts";
import { type ReplayOutcome, reportText } from "../../tools/replay/text.ts";
import { CommandFailed } from "../commands/command-failed.ts";
import { readConfig } from "../compose/part-config.ts";
import { writeAll } from "../output/write-all.ts";
import { createRuntime, type LogFlags } from "../compose/runtime.ts";

interface Flags extends ReplayFlags, Pick<LogFlags, "logFormat"> {
  readonly json: boolean;
}

/** Replays the requests of decision logs on the documents of the candidate. */
export async function replay(flags: Flags): Promise<void> {
  const runtime = createRuntime({ logLevel: "warn", logFormat: flags.logFormat });
  const outcome = await runReplay(
    flags,
    runtime,
    (paths) => readConfig(paths, runtime),
    showProgress(process.stderr),
  );
  await writeAll(process.stdout, flags.json ? reportJson(outcome) : reportText(outcome));
  if (outcome.failed.length > 0) throw new CommandFailed();
}

function reportJson({ report, malformed, unanswered, failed }: ReplayOutcome): string {
  const json = { ...report, malformed, unanswered: Object.fromEntries(unanswered), failed };
  return `${JSON.stringify(json, undefined, 2)}\n`;
}
