// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TSchema } from "typebox";
import type { ErrorCode } from "../../../kernel/error-catalog.ts";

/** Methods of operations; `all` takes every method, for paths that carry another request. */
export type OperationMethod = "get" | "post" | "put" | "delete" | "all";

/** A part of a message that the description has once, under its name in `components/schemas`. */
export interface NamedSchema {
  readonly name: string;
  readonly schema: TSchema;
}

/** A parameter of the query. */
export interface QueryParameter {
  readonly schema: TSchema;
  readonly description: string;
  /** Default false. */
  readonly required?: boolean;
  /** Whether the parameter's text is a JSON document of the schema; default: the text is the value. */
  readonly json?: boolean;
}

/** An answer that is not an error. */
export interface Answer {
  readonly description: string;
  /** Bodies by media type; absent for an answer without a body. */
  readonly content?: Readonly<Record<string, NamedSchema | TSchema>>;
}

/**
 * Who may use an operation of a closed surface: `probe` is everybody, for orchestrators; `metrics` is everybody when the operator
 * opens metrics; `closed` is whoever presents a credential.
 */
export type OperationAccess = "closed" | "metrics" | "probe";

/**
 * One operation of a control surface. A surface registers its routes by these records and serves the OpenAPI document that is made
 * of them, so that no route is without a description.
 */
export interface Operation {
  /** Unique in its surface, such as `check`. */
  readonly id: string;
  readonly method: OperationMethod;
  /** `{*name}` at the end stands for the rest of the path. */
  readonly path: string;
  readonly summary: string;
  readonly query?: Readonly<Record<string, QueryParameter>>;
  /** The JSON body; absent for none. */
  readonly request?: NamedSchema;
  /** By status, or `default`. */
  readonly answers: Readonly<Record<string, Answer>>;
  /** Codes of refusals, besides those that every operation has. */
  readonly errors?: readonly ErrorCode[];
  /** Default `closed`. */
  readonly access?: OperationAccess;
}

/** An answer with a JSON body. */
export function jsonAnswer(name: string, schema: TSchema, description: string): Answer {
  return { description, content: { "application/json": { name, schema } } };
}
