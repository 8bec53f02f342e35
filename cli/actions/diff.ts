// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { documentChanges } from "../../core/changes/document-changes.ts";
import { changesText } from "../../tools/diff/changes-text.ts";
import { showProgress } from "../../tools/replay/progress.ts";
import { runReplay } from "../../tools/replay/run-replay.ts";
import { reportText } from "../../tools/replay/text.ts";
import { CommandFailed } from "../commands/command-failed.ts";
import { readConfig } from "../compose/part-config.ts";
import { createRuntime, type LogFlags } from "../compose/runtime.ts";
import { writeAll } from "../output/write-all.ts";

interface Flags extends Pick<LogFlags, "logFormat"> {
  readonly log?: readonly string[];
  readonly json: boolean;
}

/** Number of examples of each changed decision. */
const EXAMPLES = 3;

/** Prints what the set `after` changes in the set `before`, and with a log, how the decisions of its requests differ. */
export async function diff(before: string, after: string, { log, json, logFormat }: Flags): Promise<void> {
  const runtime = createRuntime({ logLevel: "warn", logFormat });
  const old = await readConfig([before], runtime);
  const changes = documentChanges(old.documents, (await readConfig([after], runtime)).documents);
  const flags = { candidate: [after], baseline: [before], examples: EXAMPLES, failOn: [], strict: false };
  const replayed =
    log === undefined
      ? undefined
      : await runReplay(
          { ...flags, log },
          runtime,
          (paths) => readConfig(paths, runtime),
          showProgress(process.stderr),
        );
  if (json) {
    const whole = { changes, ...(replayed === undefined ? {} : { replay: replayed.report }) };
    await writeAll(process.stdout, `${JSON.stringify(whole, undefined, 2)}\n`);
  } else {
    await writeAll(process.stdout, changesText(changes));
    if (replayed !== undefined) await writeAll(process.stdout, `\n${reportText(replayed)}`);
  }
  if (changes.length > 0) throw new CommandFailed();
}
