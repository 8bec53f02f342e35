// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type MaybePromise, reduceInOrder } from "../../kernel/maybe-promise.ts";
import type { RuleInstance } from "../snapshot/snapshot.ts";
import type {
  AuthorizationInstance,
  CheckNothingInstance,
  HeadersInstance,
  ListEntryInstance,
} from "../templates/instances.ts";
import { andThen, evaluateComputed, evaluateMap, Fault, type Scope, textOf } from "./evaluation.ts";

export type CheckInstance =
  | ListEntryInstance
  | CheckNothingInstance
  | HeadersInstance
  | AuthorizationInstance;

/** Values of a rule instance's parameters; a map parameter is an object with a null prototype. */
export type ParameterValues = Readonly<Record<string, unknown>>;

/** The values of an instance's parameters without absent ones; or the first fault. */
export function evaluateParameters(
  instance: RuleInstance,
  scope: Scope,
): MaybePromise<ParameterValues | Fault> {
  const values = Object.create(null) as Record<string, unknown>;
  return reduceInOrder(instance.params, values as typeof values | Fault, (found, [field, parameter]) => {
    if (found instanceof Fault) return found;
    const value =
      "kind" in parameter
        ? evaluateComputed(parameter, scope)
        : andThen(evaluateMap(parameter, scope), recordOf);
    return andThen(value, (given) => {
      if (given !== undefined) values[field] = given;
      return values;
    });
  });
}

/** Fills an instance of a check template. */
export function fillCheckInstance(instance: RuleInstance, scope: Scope): MaybePromise<CheckInstance | Fault> {
  return andThen(evaluateParameters(instance, scope), (values) => {
    const { name } = instance;
    switch (instance.template) {
      case "listentry":
        return { name, value: optionalText(values["value"]) };
      case "headers":
        return { name, values: mapValues(recordIn(values["values"]), optionalText) };
      case "authorization":
        return { name, ...authorizationOf(values) };
      default:
        return { name };
    }
  });
}

/** `subject` and `action` are maps: fields of Mixer's template, and other entries as properties. */
function authorizationOf(values: ParameterValues): Omit<AuthorizationInstance, "name"> {
  const { user, groups, ...subject } = recordIn(values["subject"]);
  const { namespace, service, method, path, ...action } = recordIn(values["action"]);
  return {
    subject: { ...texts({ user, groups }), properties: subject },
    action: { ...texts({ namespace, service, method, path }), properties: action },
  };
}

/** The fields that have a value, as text. */
function texts(fields: Readonly<Record<string, unknown>>): Record<string, string> {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present.map(([key, value]) => [key, textOf(value)]));
}

export function optionalText(value: unknown): string | undefined {
  return value === undefined ? undefined : textOf(value);
}

/** An object's entries; none for any other value. */
export function recordIn(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

export function mapValues<T>(
  record: Readonly<Record<string, unknown>>,
  convert: (value: unknown) => T,
): Record<string, T> {
  return recordOf(Object.entries(record).map(([key, value]) => [key, convert(value)] as const));
}

/**
 * A record with a null prototype: keys come from documents, and `constructor` is a valid label. Absent values
 * are kept as undefined.
 */
export function recordOf<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  const record = Object.create(null) as Record<string, T>;
  for (const [key, value] of entries) record[key] = value;
  return record;
}
