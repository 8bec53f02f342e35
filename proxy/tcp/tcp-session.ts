// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../core/attributes/bag.ts";
import { isForwarded } from "../../core/verdict/reply.ts";
import { wholeMicroseconds } from "../../kernel/duration.ts";
import { messageOf } from "../../kernel/errors.ts";
import { isPromise } from "../../kernel/maybe-promise.ts";
import type { ListenerBinding } from "../listeners/listener-server.ts";
import { gatewayAttributes } from "../filters/gateway-attributes.ts";
import { credentialExpiryOf } from "../pipeline/credential-expiry.ts";
import type { LongStream } from "../pipeline/long-streams.ts";
import type { CredentialExpiry, ExpiringEntry } from "../pipeline/stream-expiries.ts";
import type { RequestLife } from "../policy/beyond/quota-queues.ts";
import type { CheckResult } from "../policy/check-result.ts";
import type { RawConnection, RawSession, RawSocket } from "../transport/contract/raw.ts";
import { openAttributes, reportAttributes } from "./tcp-attributes.ts";
import { REFUSALS, rowOf, type TcpEnding } from "../exchange/tcp-ending.ts";
import type { TcpServices } from "./tcp-services.ts";
import { pickRoute, type TcpSelection } from "./tcp-selection.ts";
import { TcpTimers } from "./tcp-timers.ts";
import { Splice, type SpliceEnd, type SpliceEvents } from "./splice.ts";
import { UpstreamDial } from "./upstream-dial.ts";

const NO_BYTES = { receivedBytes: 0, sentBytes: 0 };

const ENDINGS: Readonly<Record<SpliceEnd, TcpEnding>> = {
  client: "client",
  upstream: "upstream",
  "client-reset": "client_reset",
  "upstream-reset": "upstream_reset",
};

/**
 * One connection of a client from its start to its end: finds the route, asks the policies, connects to an endpoint and
 * copies bytes both ways. Nothing is read from the client before the endpoint is connected, so that a protocol in which
 * the server speaks first works, and so that a refused connection costs no memory.
 */
class TcpSession implements RawSession, LongStream, RequestLife, SpliceEvents {
  expiringEntry: ExpiringEntry | undefined = undefined;
  /** The fields of the list of long streams. */
  previous: LongStream | undefined = undefined;
  next: LongStream | undefined = undefined;
  isListed = false;
  readonly #binding: ListenerBinding;
  readonly #connection: RawConnection;
  readonly #services: TcpServices;
  readonly #startMs: number;
  readonly #timers: TcpTimers;
  readonly #selection: TcpSelection | undefined;
  readonly #attributes: AttributeBag;
  /** At an edge that passes the connection on to a sidecar: the attributes by which its own policies decide. */
  #checkedAttributes: AttributeBag | undefined;
  readonly #expiry: CredentialExpiry | undefined;
  #verdict: CheckResult | undefined;
  #dial: UpstreamDial | undefined;
  #splice: Splice | undefined;
  /** The first reason to end the connection. */
  #ending: TcpEnding | undefined;
  #isOver = false;
  readonly #onFinished: (() => void)[] = [];
  /** Bytes of the last report. */
  #reported = NO_BYTES;

  constructor(binding: ListenerBinding, connection: RawConnection, services: TcpServices) {
    const { facts, serverName } = connection;
    const { clock } = services;
    this.#binding = binding;
    this.#connection = connection;
    this.#services = services;
    this.#startMs = clock.monotonicMs();
    this.#timers = new TcpTimers(services, (event) => this.#onTimer(event));
    binding.snapshot.hold();
    services.counts.countOpened(binding.listener.name);
    this.#selection = pickRoute(binding, connection, services);
    const subject = {
      facts,
      serverName,
      isInbound: binding.listener.direction === "inbound",
      service: this.#selection?.cluster?.service,
      destination: this.#selection?.endpoints?.destination ?? {},
      route: this.#selection?.route.name,
    };
    this.#expiry = credentialExpiryOf(facts);
    this.#attributes = openAttributes(subject, services.node, clock.nowMs());
  }

  /** Begins the connection. Call it once, right after the constructor. */
  start(): void {
    const { socket } = this.#connection;
    socket.on("error", ignore);
    socket.on("close", () => this.#onClientClosed());
    socket.pause();
    if (socket.destroyed) return this.#over("client_reset");
    try {
      this.#check();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The attributes that the connection was decided by. */
  get attributes(): AttributeBag {
    return this.#checkedAttributes ?? this.#attributes;
  }

  get finished(): boolean {
    return this.#isOver || this.#ending !== undefined;
  }

  onceFinished(callback: () => void): void {
    this.#onFinished.push(callback);
  }

  /** Long connections are added once they are decided here. */
  get isDecidedHere(): boolean {
    return true;
  }

  get expiry(): CredentialExpiry | undefined {
    return this.#expiry;
  }

  refuse(): void {
    this.#end("refused_by_changed_policy");
  }

  expire(): void {
    this.#end("certificate_expired");
  }

  retire(): void {
    this.#timers.retire();
  }

  cut(): void {
    this.#end("drain");
  }

  onActivity(): void {
    this.#timers.noteActivity();
  }

  onBroken(): void {
    this.#timers.linger();
  }

  onOver(end: SpliceEnd): void {
    this.#over(this.#ending ?? ENDINGS[end]);
  }

  #check(): void {
    const { policy } = this.#services;
    const { endpoints } = this.#selection ?? {};
    if (this.#selection === undefined) return this.#end("route_not_found");
    if (endpoints === undefined) return this.#end("no_healthy_upstream");
    // Each connection is checked and charged once: by the last proxy before its destination.
    if (endpoints.assignment.checkedByDestination) {
      this.#checkedAttributes = policy.guardsGateways ? gatewayAttributes(this.#attributes) : undefined;
      if (this.#checkedAttributes === undefined) return this.#connect();
    }
    const verdict = policy.check(this.attributes, undefined, this);
    if (!isPromise(verdict)) return this.#judge(verdict);
    void verdict.then((known) => this.#judge(known)).catch((error: unknown) => this.#fail(error));
  }

  #judge(verdict: CheckResult): void {
    // The client left while the policies decided: no upstream has seen the connection.
    if (this.finished) return verdict.settlement?.settle("unanswered", this.#attributes);
    this.#verdict = verdict;
    if (!isForwarded(verdict)) return this.#end(REFUSALS[verdict.outcome.kind]);
    // From the decision on, so that no change of the policies is missed.
    this.#services.longStreams.add(this);
    this.#connect();
  }

  #connect(): void {
    const { cluster, endpoints, hash } = this.#selection as TcpSelection;
    const endpoint = endpoints?.pick([], hash);
    if (cluster === undefined || endpoint === undefined) return this.#end("no_healthy_upstream");
    const { facts } = this.#connection;
    const dial = UpstreamDial.begin(endpoint, cluster, facts, {
      onConnected: (socket) => this.#onConnected(socket),
      onFailed: (detail) => this.#onConnectFailed(detail),
    });
    if (dial === undefined) return this.#end("upstream_overflow");
    this.#dial = dial;
    this.#timers.awaitConnection(cluster.config.connectTimeoutMs);
  }

  #onConnected(upstream: RawSocket): void {
    const { cluster } = this.#selection as TcpSelection;
    this.#splice = new Splice(this.#connection.socket, upstream, this);
    if (cluster !== undefined) this.#timers.open(cluster.config);
    this.#report("open");
  }

  #onConnectFailed(detail: string): void {
    const upstream = `${this.#dial?.endpoint.addressText}: ${detail}`;
    this.#services.logger.debug("an upstream failed", { connection: this.#connection.facts.id, upstream });
    this.#end("upstream_connect_failure");
  }

  #onTimer(event: "connect" | "report" | "idle" | "duration" | "retire" | "linger"): void {
    switch (event) {
      case "connect":
        this.#dial?.timedOut();
        return this.#end("upstream_connect_timeout");
      case "report":
        this.#report("continue");
        return;
      case "idle":
        return this.#end("idle_timeout");
      case "duration":
        return this.#end("max_duration");
      case "retire":
        return this.#end("drain");
      case "linger":
        return this.#splice?.cut();
    }
  }

  /** Closes both sides at once; what follows is told by their `close` events. */
  #end(ending: TcpEnding): void {
    if (this.finished) return;
    this.#ending = ending;
    for (const callback of this.#onFinished.splice(0)) callback();
    this.#dial?.cancel();
    this.#connection.socket.destroy();
  }

  #onClientClosed(): void {
    // With a splice, both sockets decide the end.
    if (this.#splice === undefined) this.#over(this.#ending ?? "client_reset");
  }

  #over(ending: TcpEnding): void {
    if (this.#isOver) return;
    this.#ending ??= ending;
    this.#isOver = true;
    for (const callback of this.#onFinished.splice(0)) callback();
    const { longStreams, counts, clock } = this.#services;
    const { listener, snapshot } = this.#binding;
    this.#timers.stop();
    longStreams.remove(this);
    // The client left while the endpoint was being connected.
    if (this.#splice === undefined) this.#dial?.cancel();
    this.#dial?.leave();
    counts.countClosed(listener.name, ending);
    try {
      const durationMs = wholeMicroseconds(clock.monotonicMs() - this.#startMs);
      const bag = this.#report("close", { ending, durationMs });
      const fate = rowOf(ending).isUnanswered === true ? "unanswered" : undefined;
      this.#verdict?.settlement?.settle(fate, bag);
    } catch (error) {
      this.#services.logger.error("the report of a connection failed", { error: messageOf(error) });
    } finally {
      snapshot.release();
      this.#connection.onClosed();
    }
  }

  #report(
    event: "open" | "continue" | "close",
    end?: { readonly ending: TcpEnding; readonly durationMs: number },
  ): AttributeBag {
    const { policy, counts, clock } = this.#services;
    const { receivedBytes, sentBytes } = this.#splice ?? NO_BYTES;
    const total = { receivedBytes, sentBytes };
    const before = this.#reported;
    const received = receivedBytes - before.receivedBytes;
    const sent = sentBytes - before.sentBytes;
    if (event === "continue" && received === 0 && sent === 0) return this.#attributes;
    counts.countBytes(this.#binding.listener.name, received, sent);
    this.#reported = total;
    const bag = reportAttributes(this.#attributes, {
      event,
      nowMs: clock.nowMs(),
      total,
      before,
      endpoint: this.#dial?.endpoint,
      verdict: this.#verdict,
      end,
    });
    policy.report(bag);
    return bag;
  }

  #fail(error: unknown): void {
    this.#services.logger.error("a connection failed", {
      connection: this.#connection.facts.id,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    this.#end("internal_error");
  }
}

/** Forwards a client's connection as bytes, from now on to its end. */
export function forwardTcp(
  binding: ListenerBinding,
  connection: RawConnection,
  services: TcpServices,
): RawSession {
  const session = new TcpSession(binding, connection, services);
  session.start();
  return session;
}

function ignore(): void {
  // The `close` event follows.
}
