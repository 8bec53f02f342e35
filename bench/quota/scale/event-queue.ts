// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Events by time: those of a millisecond come in the order in which they were added. Times are whole milliseconds. */
export class EventQueue<Event> {
  readonly #slots: Event[][];
  #nowMs = 0;

  /** @param spanMs The farthest that an event may be ahead. */
  constructor(spanMs: number) {
    this.#slots = Array.from({ length: spanMs + 1 }, () => []);
  }

  /** Adds an event; one in the past or now comes at the next `take`. Throws RangeError beyond the span. */
  add(atMs: number, event: Event): void {
    const dueMs = Math.max(this.#nowMs, Math.ceil(atMs));
    if (dueMs - this.#nowMs >= this.#slots.length) throw new RangeError(`${atMs} is too far ahead`);
    this.#slots[dueMs % this.#slots.length]?.push(event);
  }

  /** Hands out the events of the next millisecond, also those that are added to it meanwhile. */
  take(handle: (event: Event, atMs: number) => void): void {
    const slot = this.#nowMs % this.#slots.length;
    const events = this.#slots[slot] as Event[];
    for (let index = 0; index < events.length; index++) handle(events[index] as Event, this.#nowMs);
    this.#slots[slot] = [];
    this.#nowMs++;
  }
}
