// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { strikes } from "../../core/traffic/chance.ts";
import { shadowAuthority } from "../../core/traffic/host-name.ts";
import type { RouteMirror } from "../../core/traffic/resources/route.ts";
import type { Random } from "../../kernel/ports.ts";
import type { TimerWheel } from "../../kernel/timer-wheel.ts";
import type { Exchange, ForwardAction } from "../exchange/exchange.ts";
import type { BodyReceiver } from "../transport/contract/body.ts";
import type { RequestHead } from "../transport/contract/head.ts";
import { HeaderList } from "../transport/contract/header-list.ts";
import { BodyCopy, type BodyCopyEvents } from "./body-copy.ts";
import { MirroredRequest, type MirrorResult } from "./mirrored-request.ts";

/** Maximum size of a mirrored body, in bytes. */
const MAX_BODY_BYTES = 64 * 1024;
/** Most mirrored requests under way in one process, copies of bodies included: 16 MiB of bodies at most. */
const MAX_UNDER_WAY = 256;
/** Timeout of a mirrored request whose route has none, in milliseconds: Envoy's default for routes. */
const DEFAULT_TIMEOUT_MS = 15_000;

/** Sends copies of requests to the mirrors of their routes. No copy delays, fails or changes the request itself. */
export class Mirroring {
  readonly #timers: TimerWheel;
  readonly #random: Random;
  readonly #count: (cluster: string, result: MirrorResult) => void;
  #underWay = 0;

  /** @param count Counts a mirrored request that is over, or that was not sent. */
  constructor(timers: TimerWheel, random: Random, count: (cluster: string, result: MirrorResult) => void) {
    this.#timers = timers;
    this.#random = random;
    this.#count = count;
  }

  /**
   * Mirrors a request that is about to be forwarded, by the percentages of its route's mirrors.
   *
   * @returns The copy to make of the request's body; undefined when there is nothing to copy.
   */
  begin(
    exchange: Exchange,
    mirrors: readonly RouteMirror[],
    { timeoutMs }: ForwardAction,
  ): PendingMirrors | undefined {
    const drawn = mirrors.filter(({ percentage }) => strikes(percentage, this.#random));
    if (drawn.length === 0) return undefined;
    const countAll = (result: MirrorResult): void => {
      for (const { cluster } of drawn) this.#count(cluster, result);
    };
    const obstacle = this.#obstacleOf(exchange, drawn.length);
    if (obstacle !== undefined) {
      countAll(obstacle);
      return undefined;
    }
    this.#underWay += drawn.length;
    const head = headOf(exchange);
    const limitMs = timeoutMs === 0 ? DEFAULT_TIMEOUT_MS : timeoutMs;
    const send = (body: Uint8Array | undefined): void => {
      for (const { cluster } of drawn) this.#send(exchange, cluster, { head, body }, limitMs);
    };
    if (!exchange.request.hasBody) {
      send(undefined);
      return undefined;
    }
    return new PendingMirrors(exchange, send, (result) => {
      this.#underWay -= drawn.length;
      countAll(result);
    });
  }

  /** The reason why no copy of the request can be made. */
  #obstacleOf({ request }: Exchange, copies: number): MirrorResult | undefined {
    const { upgrade, contentLength } = request;
    if (upgrade !== undefined) return "upgrade";
    if (contentLength !== undefined && contentLength > MAX_BODY_BYTES) return "too_large";
    return this.#underWay + copies > MAX_UNDER_WAY ? "overflow" : undefined;
  }

  #send(
    { snapshot }: Exchange,
    name: string,
    request: { readonly head: RequestHead; readonly body: Uint8Array | undefined },
    timeoutMs: number,
  ): void {
    const onOver = (result: MirrorResult): void => {
      this.#underWay--;
      this.#count(name, result);
    };
    const cluster = snapshot.clusters.get(name);
    const endpoint = snapshot.endpoints.get(name)?.pick([], undefined);
    if (cluster === undefined || endpoint === undefined) return onOver("no_endpoint");
    // A copy takes no place of a request: neither in the queue for a connection, nor the last one of the cluster.
    if (cluster.load.active >= cluster.config.maxRequests || endpoint.upstream.stats.pending > 0)
      return onOver("overflow");
    // Each request has a list of its own: the transport may change it.
    const head = { ...request.head, headers: HeaderList.fromRaw(request.head.headers.wire()) };
    void new MirroredRequest(
      { snapshot, cluster, endpoint },
      { ...request, head },
      this.#timers,
      timeoutMs,
      onOver,
    );
  }
}

/** Mirrored requests that wait for the whole body. */
export class PendingMirrors implements BodyCopyEvents {
  readonly #exchange: Exchange;
  readonly #send: (body: Uint8Array) => void;
  readonly #giveUp: (result: MirrorResult) => void;
  #over = false;

  constructor(exchange: Exchange, send: (body: Uint8Array) => void, giveUp: (result: MirrorResult) => void) {
    this.#exchange = exchange;
    this.#send = send;
    this.#giveUp = giveUp;
    exchange.onceFinished(() => this.#drop("incomplete"));
  }

  /** A receiver that passes the body on to `receiver` and copies it. */
  copying(receiver: BodyReceiver): BodyReceiver {
    return new BodyCopy(receiver, MAX_BODY_BYTES, this.#exchange.request.contentLength, this);
  }

  onCopied(body: Uint8Array): void {
    if (this.#over) return;
    this.#over = true;
    this.#send(body);
  }

  onTooLarge(): void {
    this.#drop("too_large");
  }

  #drop(result: MirrorResult): void {
    if (this.#over) return;
    this.#over = true;
    this.#giveUp(result);
  }
}

/** The head of the request as it goes upstream, for the host with `-shadow`. */
function headOf({ request }: Exchange): RequestHead {
  const { method, path, query, hasBody, contentLength } = request;
  const headers = HeaderList.fromRaw(request.headers.wire());
  // Nobody waits for the mirror's 100 Continue: the body is sent with the head.
  headers.remove("expect");
  const host = headers.get("host");
  if (host !== undefined) headers.set("host", shadowAuthority(host));
  return {
    method,
    target: path + query,
    headers,
    httpVersion: "1.1",
    hasBody,
    contentLength,
    upgrade: undefined,
  };
}
