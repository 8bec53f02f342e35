// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cancel, Logger, Scheduler } from "../../../plugins/sdk/index.ts";
import type { Backend, ScriptRun } from "../backend.ts";
import { Connection, type ConnectionSettings } from "../connection.ts";
import { type Address, addressText } from "../target.ts";
import { parseRedirect } from "./redirect.ts";
import { SlotMap } from "./slot-map.ts";

/** Longest wait for one node's slot map. */
const LEARN_MS = 500;
/** Pause between two slot maps while a slot has no primary or a primary has no connection. */
const RELEARN_MS = 150;
/** Redirects that a command follows: ASK may follow MOVED. */
const REDIRECTS_MAX = 3;

/** For connections that only ask for the slot map: a cluster logs its own state. */
const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT };

export interface ClusterSettings extends ConnectionSettings {
  readonly seeds: readonly Address[];
  readonly scheduler: Scheduler;
}

/**
 * A Redis Cluster: one connection to each primary. The slot map is read at the start, after each failure, and repeatedly
 * while a slot has no primary or a primary has no connection; the nodes of the last map are asked in turn, then
 * the seeds.
 *
 * ioredis' own Cluster is not used: it queues commands for nodes without a connection and retries them on random
 * nodes, both without a deadline, and it drops a node's connection at the first error.
 */
export class Cluster implements Backend {
  readonly #settings: ClusterSettings;
  readonly #connections = new Map<string, { readonly address: Address; readonly connection: Connection }>();
  #map: SlotMap | undefined;
  /** Under way while a slot map is being read. */
  #learning: Promise<void> | undefined;
  /** Ends the question that #learning waits for. */
  #cancelQuestion: Cancel | undefined;
  #relearn: Cancel | undefined;
  /** Number of reads of the slot map: each begins with another node. */
  #reads = 0;
  #lastError: unknown = new Error("no node has been asked yet");
  #down = false;
  #closed = false;

  constructor(settings: ClusterSettings) {
    this.#settings = settings;
    this.#learn();
  }

  async evaluate(run: ScriptRun): Promise<unknown> {
    const { slot } = run;
    const primary = (await this.#known()).primaryOf(slot);
    const node = primary === undefined ? undefined : this.#connections.get(primary);
    if (node === undefined) {
      this.#learn();
      throw new Error(`CLUSTERDOWN no node has slot ${slot}`);
    }
    let { address, connection } = node;
    let asking = false;
    for (let redirects = 0; ; redirects++) {
      try {
        return await connection.evaluate(run, asking);
      } catch (error) {
        this.#learn();
        const redirect = parseRedirect(this.#settings.failures.reasonOf(error), address);
        if (redirect === undefined || redirects === REDIRECTS_MAX || this.#closed) throw error;
        ({ address } = redirect);
        connection = this.#connect(address);
        asking = redirect.kind === "ask";
        if (!asking) this.#map?.move(slot, addressText(address));
      }
    }
  }

  async ping(): Promise<void> {
    const map = await this.#known();
    if (!map.isWhole) throw new Error("CLUSTERDOWN some slots have no node");
    await Promise.all([...map.primaries.values()].map((address) => this.#connect(address).ping()));
  }

  close(): void {
    this.#closed = true;
    this.#relearn?.();
    this.#cancelQuestion?.();
    for (const { connection } of this.#connections.values()) connection.close();
  }

  /** The slot map; waits for the first one while it is being read. */
  async #known(): Promise<SlotMap> {
    if (this.#map === undefined) await this.#learning;
    if (this.#map !== undefined) return this.#map;
    this.#learn();
    throw this.#lastError;
  }

  /** Reads the slot map anew, unless that is under way or planned. Never throws. */
  #learn(): void {
    if (this.#closed || this.#learning !== undefined || this.#relearn !== undefined) return;
    this.#learning = this.#readMap().then(() => {
      this.#learning = undefined;
      if (!this.#closed) this.#relearn = this.#settings.scheduler.after(RELEARN_MS, () => this.#relearnDue());
    });
  }

  #relearnDue(): void {
    this.#relearn = undefined;
    if (!this.#isSound) this.#learn();
  }

  get #isSound(): boolean {
    const map = this.#map;
    if (map?.isWhole !== true) return false;
    return [...map.primaries.keys()].every(
      (name) => this.#connections.get(name)?.connection.isReady === true,
    );
  }

  async #readMap(): Promise<void> {
    for (const address of this.#candidates()) {
      try {
        const map = SlotMap.parse(await this.#ask(address), address);
        if (!this.#closed) this.#adopt(map);
        return;
      } catch (error) {
        this.#lastError = error;
      }
      if (this.#closed) return;
    }
    const { logger, failures } = this.#settings;
    const reason = failures.reasonOf(this.#lastError);
    if (!this.#down) logger.warn("redis is unavailable", { address: failures.address, reason });
    this.#down = true;
  }

  /** Known nodes, each time from another one on, then the seeds. */
  #candidates(): readonly Address[] {
    const known = [...(this.#map?.primaries ?? []), ...(this.#map?.replicas ?? [])];
    const first = known.length === 0 ? 0 : this.#reads++ % known.length;
    const seeds = this.#settings.seeds.map((seed) => [addressText(seed), seed] as const);
    return [...new Map([...known.slice(first), ...known.slice(0, first), ...seeds]).values()];
  }

  /** The node's reply to CLUSTER SLOTS, within LEARN_MS. */
  #ask(address: Address): Promise<unknown> {
    const kept = this.#connections.get(addressText(address))?.connection;
    const connection =
      kept ?? new Connection({ kind: "server", address }, { ...this.#settings, logger: SILENT });
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        end();
        reject(error as Error);
      };
      const late = new Error(`${addressText(address)} did not tell the slots within ${LEARN_MS} ms`);
      const cancelDeadline = this.#settings.scheduler.after(LEARN_MS, () => fail(late));
      const end = (): void => {
        cancelDeadline();
        this.#cancelQuestion = undefined;
        if (kept === undefined) connection.close();
      };
      this.#cancelQuestion = () => fail(new Error("the connection was closed"));
      connection.clusterSlots().then((slots) => {
        end();
        resolve(slots);
      }, fail);
    });
  }

  /** Puts the map in force: opens connections to new primaries, and closes those to nodes without slots. */
  #adopt(map: SlotMap): void {
    this.#map = map;
    const { logger, failures } = this.#settings;
    if (this.#down) logger.info("redis is available again", { address: failures.address });
    this.#down = false;
    for (const address of map.primaries.values()) this.#connect(address);
    for (const [name, { connection }] of this.#connections) {
      if (map.primaries.has(name)) continue;
      this.#connections.delete(name);
      connection.close();
    }
  }

  #connect(address: Address): Connection {
    const name = addressText(address);
    const known = this.#connections.get(name);
    if (known !== undefined) return known.connection;
    const connection = new Connection({ kind: "server", address }, this.#settings);
    this.#connections.set(name, { address, connection });
    return connection;
  }
}
