// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, Logger, Random } from "../../kernel/ports.ts";
import type { TimerWheel } from "../../kernel/timer-wheel.ts";
import type { TcpCounts } from "../exchange/tcp-counts.ts";
import type { NodeAttributes } from "../filters/filter-attributes.ts";
import type { LongStreams } from "../pipeline/long-streams.ts";
import type { PolicyClient } from "../policy/check-result.ts";

/** Services that the connections of a proxy share. */
export interface TcpServices {
  readonly node: NodeAttributes;
  readonly policy: Pick<PolicyClient, "check" | "guardsGateways" | "report">;
  readonly counts: TcpCounts;
  readonly longStreams: Pick<LongStreams, "add" | "remove">;
  readonly timers: TimerWheel;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}
