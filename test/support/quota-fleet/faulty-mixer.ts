// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { MixerService, PolicyState, ProxyIdentity } from "../../../api/mixer-service.ts";
import type { QuotaGrant, QuotaStore } from "../../../core/quota/quota.ts";
import type { Snapshot } from "../../../core/snapshot/snapshot.ts";
import { PurserError } from "../../../kernel/errors.ts";
import { isPromise, type MaybePromise } from "../../../kernel/maybe-promise.ts";
import { createMixer, type Mixer } from "../../../mixer/mixer.ts";
import { createHttpClient } from "../../../plugins/sdk/http/client.ts";
import {
  createCollectingLogger,
  createMemoryFiles,
  createSeededRandom,
  type VirtualTime,
} from "../../../plugins/sdk/testing/index.ts";
import type { ModelCall } from "../quota-model/model-subject.ts";
import type { Link, StoreCondition } from "./plan.ts";

export interface FaultyMixerOptions {
  readonly time: VirtualTime;
  readonly snapshot: Snapshot;
  readonly mixers: number;
  readonly wayMs: number;
  /** Decides a call now by the store's clock. */
  readonly decide: (call: ModelCall) => MaybePromise<readonly QuotaGrant[]>;
}

/** One way of a slow link, in milliseconds: its round trips are slower than most, and still within a deadline. */
const SLOW_WAY_MS = 300;
/** A repeated call arrives this much later. */
const REPEAT_AFTER_MS = 7;

/** A condition that ends by itself. */
class Condition<C extends string> {
  #condition: C | "up" = "up";
  #untilMs = 0;

  set(condition: C, untilMs: number): void {
    this.#condition = condition;
    this.#untilMs = untilMs;
  }

  at(nowMs: number): C | "up" {
    return nowMs < this.#untilMs ? this.#condition : "up";
  }
}

/** A link of a proxy, which ends for good when the proxy crashes. */
export interface ProxyLink {
  readonly condition: Condition<Link>;
  cut: boolean;
}

export function createLink(): ProxyLink {
  return { condition: new Condition(), cut: false };
}

/** A real mixer on virtual time, which can be restarted, whose store and network fail on demand. */
export class FaultyMixer {
  readonly store = new Condition<StoreCondition>();
  readonly #options: FaultyMixerOptions;
  readonly #listeners = new Map<(state: PolicyState) => void, ProxyIdentity>();
  #mixer!: Mixer;
  #stopWatching: (() => void)[] = [];

  private constructor(options: FaultyMixerOptions) {
    this.#options = options;
  }

  static async start(options: FaultyMixerOptions): Promise<FaultyMixer> {
    const mixer = new FaultyMixer(options);
    await mixer.restart();
    return mixer;
  }

  /** Starts another mixer; replies of the one before it are lost. */
  async restart(): Promise<void> {
    const { time, snapshot, mixers } = this.#options;
    const mixer = createMixer({
      clock: time.clock,
      scheduler: time.scheduler,
      random: createSeededRandom(),
      logger: createCollectingLogger(),
      files: () => createMemoryFiles(),
      http: () => createHttpClient(time.clock),
      spoolFiles: () => assert.fail("no spool here"),
      buildInThread: () => assert.fail("no thread here"),
      defaultStore: this.#storeOf(),
      nodeCount: mixers,
    });
    const applied = await mixer.apply(snapshot);
    assert.ok(applied.ok);
    for (const stop of this.#stopWatching.splice(0)) stop();
    this.#mixer = mixer;
    for (const [listener, identity] of this.#listeners)
      this.#stopWatching.push(mixer.watch(identity, listener));
  }

  /** The mixer as a proxy reaches it over its link. */
  serviceOver(link: ProxyLink): MixerService {
    return {
      check: (request) => this.#call(link, (mixer) => mixer.check(request)),
      allocate: (request) => this.#call(link, (mixer) => mixer.allocate(request)),
      report: () => assert.fail("nothing is reported here"),
      watch: (identity, listener) => {
        const heard = (state: PolicyState): void => {
          if (!link.cut) listener(state);
        };
        this.#listeners.set(heard, identity);
        this.#stopWatching.push(this.#mixer.watch(identity, heard));
        return () => void this.#listeners.delete(heard);
      },
    };
  }

  #call<T>(link: ProxyLink, work: (mixer: Mixer) => MaybePromise<T>): MaybePromise<T> {
    const { time, wayMs } = this.#options;
    if (link.cut) return new Promise(() => {});
    const condition = link.condition.at(time.clock.monotonicMs());
    if (condition === "refuses") return Promise.reject(reset());
    if (condition === "up" && wayMs === 0) return this.#whileUp(work);
    const delayMs = condition === "slow" ? SLOW_WAY_MS : wayMs;
    const after = (ms: number, then: () => void): void => void time.scheduler.after(ms, then);
    return new Promise<T>((resolve, reject) => {
      if (condition === "loses calls") return;
      after(delayMs, () => {
        const answer = Promise.resolve().then(() => this.#whileUp(work));
        if (condition === "loses replies") return void answer.catch(() => {});
        answer.then(
          (reply) => after(delayMs, () => resolve(reply)),
          (error: Error) => after(delayMs, () => reject(error)),
        );
      });
      if (condition === "repeats")
        after(delayMs + REPEAT_AFTER_MS, () => void Promise.resolve(this.#whileUp(work)).catch(() => {}));
    });
  }

  /** Loses the reply of a mixer that was restarted meanwhile. */
  #whileUp<T>(work: (mixer: Mixer) => MaybePromise<T>): MaybePromise<T> {
    const mixer = this.#mixer;
    const answer = work(mixer);
    if (!isPromise(answer)) return answer;
    return answer.then((reply) => {
      if (this.#mixer !== mixer) throw reset();
      return reply;
    });
  }

  #storeOf(): QuotaStore {
    const { time, wayMs, decide } = this.#options;
    const ways = (): Promise<void> =>
      new Promise((resolve) => void time.scheduler.after(wayMs, () => resolve()));
    return {
      allocate: (requests, { deduplicationId }) => {
        const condition = this.store.at(time.clock.monotonicMs());
        if (condition === "refuses") throw away();
        const answer = decideLater();
        if (condition === "up") return answer;
        return Promise.resolve(answer).then(() => {
          throw away();
        });
        function decideLater(): MaybePromise<readonly QuotaGrant[]> {
          const call = { requests, deduplicationId };
          if (wayMs === 0) return decide(call);
          return ways()
            .then(() => decide(call))
            .then(async (grants) => (await ways(), grants));
        }
      },
    };
  }
}

function reset(): PurserError {
  return new PurserError("PURSER_MIXER_UNAVAILABLE", "connection reset");
}

function away(): PurserError {
  return new PurserError("PURSER_STORE_UNAVAILABLE", "the store is away");
}
