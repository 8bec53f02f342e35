// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { PurserError } from "../../kernel/errors.ts";
import type { LogLevel } from "../../kernel/log-level.ts";
import type { TrafficResources } from "../../core/traffic/resources/resource-set.ts";
import type { ClusterRow } from "../admin/cluster-rows.ts";
import type { ListenerAddress } from "../listeners/listener-set.ts";

/** Answers that a worker gives about itself, by the name of the question. */
export interface WorkerAnswers {
  /** The families of the worker's registry, in prom-client's JSON form. */
  readonly metrics: readonly object[];
  readonly clusters: readonly ClusterRow[];
  /** Null before the first configuration. */
  readonly resources: TrafficResources | null;
  /** Null when ready, otherwise the reason why not. */
  readonly unreadiness: string | null;
}

export type WorkerQuestion = keyof WorkerAnswers;

/** A message from the pool to a worker. `S` is the setup, which the pool passes on unread. */
export type PoolMessage<S> =
  | { readonly kind: "start"; readonly setup: S }
  | { readonly kind: "ask"; readonly id: number; readonly question: WorkerQuestion }
  | { readonly kind: "drain"; readonly deadlineMs: number }
  | { readonly kind: "log-level"; readonly level: LogLevel };

/** A message from a worker to the pool. */
export type WorkerMessage =
  /** The process takes messages now; one sent earlier would be lost. */
  | { readonly kind: "hello" }
  | { readonly kind: "listening"; readonly listeners: readonly ListenerAddress[] }
  /** The worker could not start; its process ends. */
  | {
      readonly kind: "failed";
      readonly code: ErrorCode;
      readonly message: string;
      /** Of the worker's PurserError. */
      readonly details: PurserError["details"];
    }
  | { readonly kind: "answer"; readonly id: number; readonly answer: WorkerAnswers[WorkerQuestion] };

/** The pool's end of the channel to one worker process. */
export interface WorkerProcess<S> {
  readonly pid: number;
  /** Does nothing when the process has ended. */
  send(message: PoolMessage<S>): void;
  /** Must be set before the process's first message. */
  onMessage: (message: WorkerMessage) => void;
  /** Called once, with the way in which the process ended: `signal SIGKILL`, or `exit code 1`. */
  onExit: (how: string) => void;
  /** Ends the process at once. */
  kill(): void;
}
