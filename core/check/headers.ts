// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { headerNameFault, headerValueFault } from "../attributes/header-fields.ts";
import type { DirectResponse, HeaderChanges, HeaderOperation } from "../templates/instances.ts";
import { type MaybePromise, reduceInOrder } from "../../kernel/maybe-promise.ts";
import type { AccessPolicy, HeaderTemplates } from "../snapshot/snapshot.ts";
import { andThen, describeType, evaluate, Fault, type Scope } from "./evaluation.ts";

const NO_OPERATIONS: readonly HeaderOperation[] = [];
const NO_CHANGES: HeaderChanges = {};

/** A policy's header changes for this bag, or the fault that prevents them. */
export function evaluateHeaders(
  headers: AccessPolicy["headers"],
  scope: Scope,
): MaybePromise<HeaderChanges | Fault> {
  if (isEmpty(headers.request) && isEmpty(headers.response)) return NO_CHANGES;
  return evaluateBothSides(headers, scope);
}

function isEmpty({ set, append, remove }: HeaderTemplates): boolean {
  return set.length === 0 && append.length === 0 && remove.length === 0;
}

function evaluateBothSides(
  headers: AccessPolicy["headers"],
  scope: Scope,
): MaybePromise<HeaderChanges | Fault> {
  return andThen(evaluateSide(headers.request, scope), (request) =>
    andThen(evaluateSide(headers.response, scope), (response) => ({ request, response })),
  );
}

export function evaluateSide(
  templates: HeaderTemplates,
  scope: Scope,
): MaybePromise<readonly HeaderOperation[] | Fault> {
  return isEmpty(templates) ? NO_OPERATIONS : evaluateTemplates(templates, scope);
}

function evaluateTemplates(
  templates: HeaderTemplates,
  scope: Scope,
): MaybePromise<readonly HeaderOperation[] | Fault> {
  const operations: HeaderOperation[] = templates.remove.map((name) => ({ operation: "remove", name }));
  const values = [
    ...templates.set.map(([name, value]) => ({ operation: "set" as const, name, value })),
    ...templates.append.map(([name, value]) => ({ operation: "append" as const, name, value })),
  ];
  return reduceInOrder(values, operations as HeaderOperation[] | Fault, (found, { operation, name, value }) =>
    andThen(found, () =>
      andThen(evaluate(value, scope), (given) => {
        const text = toHeaderValue(name, given);
        if (text instanceof Fault) return text;
        if (text !== undefined) operations.push({ operation, name, value: text });
        return operations;
      }),
    ),
  );
}

function toHeaderValue(name: string, value: unknown): string | undefined | Fault {
  if (value === undefined) return undefined;
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
    return new Fault("PURSER_EXPR_EVALUATION", `header ${name} was given ${describeType(value)}`, true);
  }
  const text = String(value);
  const fault = headerValueFault(name, text);
  return fault === undefined ? text : new Fault("PURSER_EXPR_EVALUATION", fault, true);
}

/** Fault of a handler's header changes; undefined when they are valid. */
export function faultOfChanges(changes: HeaderChanges): string | undefined {
  for (const { operation, name, value } of [...(changes.request ?? []), ...(changes.response ?? [])]) {
    if (name !== name.toLowerCase()) return `${JSON.stringify(name)} is not a lower-case header name`;
    const fault = faultOfField(name, operation === "remove" ? "" : value);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Fault of a handler's direct response; undefined when it is valid. */
export function faultOfReply({ httpStatus, headers, body }: DirectResponse): string | undefined {
  if (!Number.isInteger(httpStatus) || httpStatus < 200 || httpStatus > 599)
    return `the status of a direct response is 200 to 599, not ${String(httpStatus)}`;
  if (typeof body !== "string") return "the body of a direct response is text";
  if (typeof headers !== "object" || headers === null)
    return "the headers of a direct response are an object";
  for (const [name, value] of Object.entries(headers)) {
    const fault = faultOfField(name, value);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Handlers are foreign code: a value need not have its declared type. */
function faultOfField(name: string, value: unknown): string | undefined {
  const fault = headerNameFault(name);
  if (fault !== undefined) return fault;
  return typeof value === "string" ? headerValueFault(name, value) : `The value of ${name} is not text`;
}
