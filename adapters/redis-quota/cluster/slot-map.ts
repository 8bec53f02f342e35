// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Address, addressText } from "../target.ts";
import { SLOTS } from "./key-slot.ts";

interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly primary: string;
}

/** The node of each slot of a cluster, and the cluster's nodes. */
export class SlotMap {
  /** Nodes that have slots, by `host:port`. */
  readonly primaries: ReadonlyMap<string, Address>;
  readonly replicas: ReadonlyMap<string, Address>;
  readonly #ranges: readonly SlotRange[];
  /** Slots that moved since the map was read. */
  readonly #moved = new Map<number, string>();

  private constructor(
    ranges: readonly SlotRange[],
    primaries: ReadonlyMap<string, Address>,
    replicas: ReadonlyMap<string, Address>,
  ) {
    this.#ranges = ranges;
    this.primaries = primaries;
    this.replicas = replicas;
  }

  /**
   * Parses the reply to CLUSTER SLOTS: for each range its first and last slot, then the primary and the replicas, each with
   * its host and port first. A node that does not know its own host has none: then it is the host that was asked.
   *
   * @throws TypeError when the reply has another form.
   */
  static parse(reply: unknown, asked: Address): SlotMap {
    if (!Array.isArray(reply)) throw new TypeError("the reply to CLUSTER SLOTS has an unknown form");
    const primaries = new Map<string, Address>();
    const replicas = new Map<string, Address>();
    const ranges = (reply as readonly unknown[]).map((range): SlotRange => {
      if (!Array.isArray(range)) throw new TypeError("the reply to CLUSTER SLOTS has an unknown form");
      const [first, last, ...nodes] = range as readonly unknown[];
      const [primary, ...others] = nodes.map((node) => addressOf(node, asked));
      if (!isSlot(first) || !isSlot(last) || primary === undefined)
        throw new TypeError("the reply to CLUSTER SLOTS has an unknown form");
      primaries.set(addressText(primary), primary);
      for (const replica of others) replicas.set(addressText(replica), replica);
      return { first, last, primary: addressText(primary) };
    });
    return new SlotMap(ranges, primaries, replicas);
  }

  /** Whether every slot has a primary. */
  get isWhole(): boolean {
    return this.#ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0) === SLOTS;
  }

  /** The primary of a slot as `host:port`; undefined when none has it. */
  primaryOf(slot: number): string | undefined {
    return (
      this.#moved.get(slot) ?? this.#ranges.find(({ first, last }) => slot >= first && slot <= last)?.primary
    );
  }

  move(slot: number, primary: string): void {
    this.#moved.set(slot, primary);
  }
}

function isSlot(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < SLOTS;
}

function addressOf(node: unknown, asked: Address): Address {
  const [host, port] = Array.isArray(node) ? (node as readonly unknown[]) : [];
  if (typeof port !== "number") throw new TypeError("the reply to CLUSTER SLOTS has an unknown form");
  return { host: typeof host === "string" && host !== "" && host !== "?" ? host : asked.host, port };
}
