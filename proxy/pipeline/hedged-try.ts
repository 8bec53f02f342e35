// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isIdempotent } from "../../core/traffic/retry.ts";
import type { RetryPolicy } from "../../core/traffic/resources/route.ts";
import type { ClientStream, ClientStreamReceiver } from "../transport/contract/client.ts";
import type { RequestHead, ResponseHead } from "../transport/contract/head.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import type { ResetReason, StreamReset } from "../transport/contract/reset.ts";
import type { Cluster } from "../upstream/cluster.ts";
import type { ClusterEndpoint } from "../upstream/endpoint-set.ts";

/** Decides about the tries that are under way, and receives the response of the try that wins. */
export interface HedgedTries extends ClientStreamReceiver {
  onTryHead(attempt: HedgedTry, head: ResponseHead): void;
  onTryReset(attempt: HedgedTry, reset: StreamReset): void;
}

/** Whether a second try may begin beside the first, of a request that can be sent again: it does no harm twice. */
export function mayHedge(
  { hedgeOnTryTimeout, idempotentOnly }: RetryPolicy,
  { method, upgrade }: Pick<RequestHead, "method" | "upgrade">,
): boolean {
  return hedgeOnTryTimeout === true && upgrade === undefined && (!idempotentOnly || isIdempotent(method));
}

/** One try of a request that may have several under way. Only the try that won reaches the receiver of the response. */
export class HedgedTry implements ClientStreamReceiver {
  readonly target: ClusterEndpoint;
  /** Whether the try counts as a retry that is under way. */
  readonly isRetry: boolean;
  /** Undefined until the stream is open. */
  stream: ClientStream | undefined = undefined;
  hasWon = false;
  readonly #tries: HedgedTries;

  constructor(tries: HedgedTries, target: ClusterEndpoint, isRetry: boolean) {
    this.#tries = tries;
    this.target = target;
    this.isRetry = isRetry;
  }

  onHead(head: ResponseHead): void {
    this.#tries.onTryHead(this, head);
  }

  onReset(reset: StreamReset): void {
    if (this.hasWon) this.#tries.onReset(reset);
    else this.#tries.onTryReset(this, reset);
  }

  /** Dropped: the informational responses of a try that loses would stand before another try's response. */
  onInformational(): void {}

  /** Nothing waits: the body of a request that may be hedged is absent or whole. */
  onWritable(): void {}

  onData(chunk: Uint8Array): void {
    this.#tries.onData(chunk);
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#tries.onEnd(trailers);
  }
}

/** The tries of one request whose timeout has passed, and which may still win. */
export class EarlierTries {
  readonly #cluster: Pick<Cluster, "leaveRetry">;
  readonly #tries = new Set<HedgedTry>();

  constructor(cluster: Pick<Cluster, "leaveRetry">) {
    this.#cluster = cluster;
  }

  get size(): number {
    return this.#tries.size;
  }

  /** Number of the tries other than `attempt`. */
  countBeside(attempt: HedgedTry): number {
    return this.#tries.size - (this.#tries.has(attempt) ? 1 : 0);
  }

  add(attempt: HedgedTry): void {
    this.#tries.add(attempt);
  }

  /** Removes a try that goes on. */
  remove(attempt: HedgedTry): void {
    this.#tries.delete(attempt);
  }

  /** @param reason Reason for which the upstream reset the stream; by default, the stream is reset here. */
  drop(attempt: HedgedTry, reason?: ResetReason): void {
    this.#tries.delete(attempt);
    const { stream, target } = attempt;
    if (stream === undefined) throw new Error("a try has a stream once it is open");
    if (reason === undefined) stream.reset();
    target.upstream.closed(stream, reason ?? "local-reset");
    if (attempt.isRetry) this.#cluster.leaveRetry();
  }

  dropAll(): void {
    for (const attempt of this.#tries) this.drop(attempt);
  }
}
