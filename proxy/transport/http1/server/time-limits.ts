// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Time limits in ticks: sweeps of the server over its connections. */
export interface LimitTicks {
  readonly headers: number;
  readonly connectionIdle: number;
  readonly streamIdle: number;
  /** 0 for none. */
  readonly request: number;
  readonly linger: number;
  /** A stream of HTTP/2 that the client resets within this time is reset prematurely. */
  readonly prematureReset: number;
}

/** The server's ticks, and the limits that it counts in them. */
export interface LimitClock {
  readonly limitTicks: LimitTicks;
  /** The number of the present tick. */
  readonly tick: number;
  /** The tick at which the drain began; undefined before it. */
  readonly drainTick: number | undefined;
  /** How long a drain leaves idle connections. */
  readonly drainGraceTicks: number;
}

/** The time limits of one connection. */
export class TimeLimits {
  readonly #clock: LimitClock;
  /** The tick at which the phase began, or at which a head's first byte came. */
  #phaseTick: number;
  /** The tick of the last byte in either direction. */
  #activeTick: number;
  /** Whether the headers' limit is running: from the connection's start, or from a head's first byte. */
  #headAwaited = true;
  #bytesTaken = 0;
  /** The tick at which the connection began to end by itself; undefined before it. */
  #retiredTick: number | undefined = undefined;

  constructor(clock: LimitClock) {
    this.#clock = clock;
    this.#phaseTick = clock.tick;
    this.#activeTick = clock.tick;
  }

  /** Whether the connection ends with the request under way, whatever the server does. */
  get isRetired(): boolean {
    return this.#retiredTick !== undefined;
  }

  /** The tick at which the drain, or the connection's own end, began; undefined before it. */
  get endingTick(): number | undefined {
    return this.#clock.drainTick ?? this.#retiredTick;
  }

  /** Ends the connection as a drain of the server does. */
  retire(): void {
    this.#retiredTick ??= this.#clock.tick;
  }

  onPhase(): void {
    this.#phaseTick = this.#clock.tick;
  }

  /** Bytes came, or the time without a request begins. */
  onActive(): void {
    this.#activeTick = this.#clock.tick;
  }

  /** The first bytes of a head came. Later ones do not extend its time. */
  onPartOfHead(): void {
    if (this.#headAwaited) return;
    this.#headAwaited = true;
    this.#phaseTick = this.#clock.tick;
  }

  onHead(): void {
    this.#headAwaited = false;
  }

  /** The limit that a connection without a stream has passed. */
  headOverdue(isHeadStarted: boolean): "headers" | "idle" | "drain" | undefined {
    const { tick, limitTicks, drainGraceTicks } = this.#clock;
    const { endingTick } = this;
    if (this.#headAwaited && tick - this.#phaseTick > limitTicks.headers) return "headers";
    if (tick - this.#activeTick > limitTicks.connectionIdle) return "idle";
    if (endingTick === undefined || isHeadStarted) return undefined;
    return tick - Math.max(endingTick, this.#phaseTick) > drainGraceTicks ? "drain" : undefined;
  }

  /**
   * Whether a connection with a stream has passed a limit, which then begins anew.
   *
   * @param bytesTaken Bytes that the operating system took so far. They are compared here, so that writing costs nothing
   * for it.
   */
  isStreamOverdue(bytesTaken: number, isRequestComplete: boolean): boolean {
    const { tick, limitTicks } = this.#clock;
    if (bytesTaken !== this.#bytesTaken) {
      this.#bytesTaken = bytesTaken;
      this.#activeTick = tick;
    }
    const isSlow =
      limitTicks.request > 0 && !isRequestComplete && tick - this.#phaseTick > limitTicks.request;
    if (!isSlow && tick - this.#activeTick <= limitTicks.streamIdle) return false;
    this.#activeTick = tick;
    return true;
  }

  /** Whether the connection has discarded or lingered for too long. */
  get isLingerOver(): boolean {
    return this.#clock.tick - this.#phaseTick > this.#clock.limitTicks.linger;
  }

  /**
   * Converts the past ticks when the length of a tick changes. One old tick is left out, because it may have been under
   * way when the event came: no limit ends earlier than it says.
   *
   * @param factor An old tick's length in new ticks.
   */
  rescale(factor: number): void {
    const { tick } = this.#clock;
    const rescaled = (since: number): number => tick - Math.floor(Math.max(0, tick - since - 1) * factor);
    this.#phaseTick = rescaled(this.#phaseTick);
    if (this.#retiredTick !== undefined) this.#retiredTick = rescaled(this.#retiredTick);
    this.#activeTick = rescaled(this.#activeTick);
  }
}
