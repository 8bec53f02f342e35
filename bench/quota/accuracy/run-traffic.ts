// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../../core/attributes/bag.ts";
import type { QuotaCharge } from "../../../core/quota/quota-charge.ts";
import { compileWithJsonata } from "../../../core/expressions/jsonata-engine.ts";
import type { Logger } from "../../../kernel/ports.ts";
import { createSeededRandom, createVirtualTime } from "../../../plugins/sdk/testing/index.ts";
import { createPolicyClient } from "../../../proxy/policy/policy-client.ts";
import { slowedCounting } from "./bound.ts";
import { centralCounter } from "./central-counter.ts";
import { arrivals, defaultLeaseMs, roundTripMs, type Traffic, WAY_MS } from "./traffic.ts";
import { VirtualMixer } from "./virtual-mixer.ts";

/** The counts of a run; those of requests are of the measured windows alone. */
export interface Admissions {
  /** Requests that arrived. */
  readonly asked: number;
  /** Requests that a central counter allows, which sees each one at once. */
  readonly allowed: number;
  /** Requests that the bound's counter allows; see bound.ts. */
  readonly bounded: number;
  /** Requests that the proxies admitted. */
  readonly admitted: number;
  /** Requests that got neither an admission nor a refusal. */
  readonly failed: number;
  /** Times at which requests were admitted, of the whole run, ascending, in milliseconds since the epoch. */
  readonly usesMs: readonly number[];
  /** Calls to the mixer, of the whole run. */
  readonly calls: number;
}

/** Seed of the arrivals and of nothing else: all proxies of a demand get the same requests. */
const SEED = 1;
/** Windows before those that are measured: a sliding window is steady after two, a demand meter after 2 s. */
const WARM_UP_WINDOWS = 3;

const BAG: AttributeBag = {};
const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT };
const EPOCH_MS = Date.UTC(2026, 0, 1);

/**
 * Runs a traffic on virtual time with real policy clients, which have their default settings.
 *
 * @param windows Number of windows that are measured.
 */
export async function runTraffic(traffic: Traffic, windows: number): Promise<Admissions> {
  const { windowMs, storeLatencyMs, shares } = traffic;
  const time = createVirtualTime(EPOCH_MS);
  const { clock, scheduler } = time;
  const charge = chargeOf(traffic);
  const mixer = new VirtualMixer({
    clock,
    scheduler,
    charge,
    proxies: shares.length,
    wayMs: WAY_MS,
    storeLatencyMs,
  });
  const clients = shares.map((_, index) =>
    createPolicyClient({
      service: mixer,
      identity: { id: `edge~${index}` },
      clock,
      scheduler,
      random: createSeededRandom(index + 1),
      logger: SILENT,
      compile: compileWithJsonata,
    }),
  );
  const allows = centralCounter(traffic);
  const allowsAtLeast = centralCounter(slowedCounting(traffic));
  const usesMs: number[] = [];
  let [asked, allowed, bounded, admitted, failed] = [0, 0, 0, 0, 0];
  const fromMs = WARM_UP_WINDOWS * windowMs;
  const untilMs = fromMs + windows * windowMs;
  for (const { atMs, proxy } of arrivals(traffic, untilMs, createSeededRandom(SEED))) {
    await time.advanceAndSettle(atMs - clock.monotonicMs());
    const counts = atMs >= fromMs;
    const isAllowed = allows(clock.nowMs());
    const isBounded = allowsAtLeast(clock.nowMs());
    if (counts) {
      asked++;
      if (isAllowed) allowed++;
      if (isBounded) bounded++;
    }
    // A check never rejects.
    void Promise.resolve(clients[proxy]?.check(BAG)).then((result) => {
      if (result?.outcome.kind === "allow") {
        usesMs.push(clock.nowMs());
        if (counts) admitted++;
      } else if (result?.outcome.kind !== "limit" && counts) failed++;
    });
  }
  await time.advanceAndSettle(3 * roundTripMs(traffic) + 1_000);
  return { asked, allowed, bounded, admitted, failed, usesMs, calls: mixer.calls };
}

function chargeOf({ algorithm, limit, windowMs }: Traffic): QuotaCharge {
  return {
    policy: "shared",
    cell: "shared{}",
    algorithm,
    limit,
    windowMs,
    leaseMs: defaultLeaseMs(windowMs),
    mode: "enforce",
    onStoreFailure: "deny",
    amount: 1,
    message: "the quota is used up",
  };
}
