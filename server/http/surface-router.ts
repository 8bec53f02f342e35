// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Router from "@koa/router";
import type { Context } from "koa";
import type { Operation } from "../../api/json/operations/operation.ts";

/** Answers a request to an operation. */
export type OperationHandler = (context: Context) => Promise<void> | void;

/** The routes of a control surface, each registered with its description. */
export class SurfaceRouter extends Router {
  readonly #operations: Operation[] = [];

  /** In the order of registration. */
  get operations(): readonly Operation[] {
    return this.#operations;
  }

  serve(operation: Operation, handler: OperationHandler): void {
    this.#operations.push(operation);
    this[operation.method](operation.path, (context: Context) => handler(context));
  }
}
