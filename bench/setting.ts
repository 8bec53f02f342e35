// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { machine } from "../tools/bench/machine.ts";
import type { CommonFlags } from "./flags.ts";
import { nodeVersion } from "./machine/node-version.ts";

/** The conditions of a run, without which its figures mean nothing. */
export interface Setting {
  readonly rounds: number;
  readonly seconds: number;
  readonly warm_up_s: number;
  /** The version of the Node.js that runs Purser and the peers on Node.js. */
  readonly node: string;
  readonly cpu: string;
}

export function settingOf({ rounds, seconds, warmUp, node }: CommonFlags): Setting {
  return { rounds, seconds, warm_up_s: warmUp, node: nodeVersion(node), cpu: machine().cpu };
}

/** The conditions as the last line of a table. */
export function settingLine({ rounds, seconds, warm_up_s: warmUp, node, cpu }: Setting): string {
  const count = rounds === 1 ? "1 round" : `${rounds} rounds`;
  return `${count} of ${seconds} s after a warm-up of ${warmUp} s; Node.js ${node}, ${cpu}`;
}
