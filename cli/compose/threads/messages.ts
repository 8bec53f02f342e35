// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TemplateName } from "../../../core/templates/template-names.ts";
import { isPurserError, messageOf, PurserError } from "../../../kernel/errors.ts";
import type { LogFields } from "../../../kernel/ports.ts";

/** The handler that a thread builds; its module is loaded in the thread. */
export interface ThreadHandlerData {
  readonly handler: string;
  /** Name of the adapter. */
  readonly adapter: string;
  /** The module that exports the adapter; undefined for a bundled one. */
  readonly from: string | undefined;
  readonly documentFile: string;
  readonly config: unknown;
}

/** A function of the handler that runs in the thread. */
export type RemoteFunction = TemplateName | "exposition" | "healthy" | "close";

export type ToThread =
  | {
      readonly kind: "call";
      readonly id: number;
      readonly name: RemoteFunction;
      readonly args: readonly unknown[];
    }
  | { readonly kind: "abort"; readonly id: number };

export type FromThread =
  /** The adapter is built: calls may come. */
  | { readonly kind: "ready" }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly error: ErrorFields }
  | {
      readonly kind: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly fields: LogFields;
    }
  /** The code of the handler threw where nobody awaits it. */
  | { readonly kind: "fault"; readonly error: ErrorFields };

/** An error without its prototype, which no message keeps. */
export interface ErrorFields {
  readonly message: string;
  /** Absent for an error that is not a PurserError. */
  readonly purser?: Pick<PurserError, "code" | "retryable" | "details">;
}

export function fieldsOf(error: unknown): ErrorFields {
  if (!isPurserError(error)) return { message: messageOf(error) };
  const { code, retryable, details } = error;
  return { message: error.message, purser: { code, retryable, details } };
}

export function errorOf({ message, purser }: ErrorFields): Error {
  return purser === undefined ? new Error(message) : new PurserError(purser.code, message, purser);
}
