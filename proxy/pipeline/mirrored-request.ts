// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type TimerOwner, type TimerWheel, WheelTimer } from "../../kernel/timer-wheel.ts";
import type { ProxySnapshot } from "../snapshot/snapshot.ts";
import type { ClientStream, ClientStreamReceiver } from "../transport/contract/client.ts";
import type { RequestHead, ResponseHead } from "../transport/contract/head.ts";
import type { ResetReason, StreamReset } from "../transport/contract/reset.ts";
import type { Cluster } from "../upstream/cluster.ts";
import type { ClusterEndpoint } from "../upstream/endpoint-set.ts";

/** The result of a mirrored request, for the metric: the response's code class, or the reason why there is none. */
export type MirrorResult =
  | `${number}xx`
  /** The connection failed or broke. */
  | "failed"
  | "timeout"
  /** Too many were under way, or waited for a connection. */
  | "overflow"
  | "no_endpoint"
  /** The body is longer than the copy may be. */
  | "too_large"
  /** The client left before the end of the body. */
  | "incomplete"
  /** The request asked for an upgrade, whose bytes are not copied. */
  | "upgrade";

/** Destination of a mirrored request. */
export interface MirrorTarget {
  /** Held until the request is over, so that a new configuration does not cut it. */
  readonly snapshot: ProxySnapshot;
  readonly cluster: Cluster;
  readonly endpoint: ClusterEndpoint;
}

/** Sends a copy of a request, and drops the response. Sent once: a copy is not worth a retry. */
export class MirroredRequest implements ClientStreamReceiver, TimerOwner {
  readonly #target: MirrorTarget;
  readonly #timers: TimerWheel;
  readonly #onOver: (result: MirrorResult) => void;
  readonly #timeout = new WheelTimer(this);
  readonly #stream: ClientStream;
  #status = 0;

  /**
   * Begins to send. The target's cluster must not be at its limit of requests.
   *
   * @param timeoutMs Timeout of the whole exchange.
   * @param onOver Called once, never before the constructor returns.
   */
  constructor(
    target: MirrorTarget,
    request: { readonly head: RequestHead; readonly body: Uint8Array | undefined },
    timers: TimerWheel,
    timeoutMs: number,
    onOver: (result: MirrorResult) => void,
  ) {
    this.#target = target;
    this.#timers = timers;
    this.#onOver = onOver;
    target.snapshot.hold();
    target.cluster.enter();
    timers.start(this.#timeout, timeoutMs);
    this.#stream = target.endpoint.upstream.open(request.head, this, request.body);
  }

  onInformational(): void {}

  onHead({ status }: ResponseHead): void {
    this.#status = status;
  }

  onData(): void {}

  onEnd(): void {
    this.#end(`${Math.floor(this.#status / 100)}xx`);
  }

  onWritable(): void {}

  onReset({ reason }: StreamReset): void {
    this.#end(reason === "overflow" ? "overflow" : "failed", reason);
  }

  onTimer(): void {
    this.#stream.reset();
    this.#end("timeout", "local-reset");
  }

  #end(result: MirrorResult, reason?: ResetReason): void {
    const { snapshot, cluster, endpoint } = this.#target;
    this.#timers.cancel(this.#timeout);
    endpoint.upstream.closed(this.#stream, reason);
    cluster.leave();
    this.#onOver(result);
    snapshot.release();
  }
}
