// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HeaderChanges, HeaderOperation } from "../templates/instances.ts";
import { type MaybePromise, reduceInOrder } from "../kernel/maybe-promise.ts";
import type { AccessPolicy, HeaderTemplates } from "../snapshot/snapshot.ts";
import { andThen, describeType, evaluate, Fault, type Scope } from "./evaluation.ts";

/** RFC 9110, section 5.6.2 (token), lower case only. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** RFC 9110, section 5.5: no CR, LF, NUL or other control character, and octets only. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A policy's header changes for this bag, or the fault that makes them impossible. */
export function evaluateHeaders(
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
  if (HEADER_VALUE.test(text)) return text;
  return new Fault("PURSER_EXPR_EVALUATION", `header ${name} was given characters no header may have`, true);
}

/** What is wrong with header changes that a handler asks for; undefined when nothing is. */
export function faultOfChanges(changes: HeaderChanges): string | undefined {
  for (const { operation, name, value } of [...(changes.request ?? []), ...(changes.response ?? [])]) {
    if (!HEADER_NAME.test(name)) return `${JSON.stringify(name)} is not a lower-case header name`;
    if (operation !== "remove" && !(typeof value === "string" && HEADER_VALUE.test(value))) {
      return `header ${name} was given a value that no header may have`;
    }
  }
  return undefined;
}
