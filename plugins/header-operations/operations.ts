// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type ConfigFault,
  type HeaderChanges,
  type HeaderOperation,
  type HeadersInstance,
  headerNameFault,
  headerValueFault,
  type LogFields,
  PurserError,
} from "../sdk/index.ts";
import type { Config, OperationConfig } from "./config.ts";

/** Node and Envoy refuse header blocks of more than 16 and 60 KiB; one value may not take the most of it. */
const MAX_VALUE_LENGTH = 8192;

/** An operation whose value stands in the configuration, or is taken from the instance. */
type Operation =
  | { readonly kind: "constant"; readonly operation: HeaderOperation }
  | {
      readonly kind: "from";
      readonly operation: "set" | "append";
      readonly name: string;
      readonly key: string;
    };

/** Every operation that is wrong. */
export function faultsOf(config: Config): readonly ConfigFault[] {
  return SIDES.flatMap((side) =>
    config[side].flatMap((operation, index) => {
      const compiled = compileOperation(operation);
      return typeof compiled === "string" ? [{ path: [side, index], message: compiled }] : [];
    }),
  );
}

/**
 * What the configuration, one in which `faultsOf` finds nothing, does to headers, as a function of an instance.
 *
 * The function throws PURSER_HANDLER_FAILED, not retryable, for a value that may not stand in a header:
 * dropping it would let a request go on without a header that an upstream may trust to be there.
 */
export function compileOperations(config: Config): (instance: HeadersInstance) => HeaderChanges {
  const [request = [], response = []] = SIDES.map((side) =>
    config[side].map(compileOperation).filter((compiled) => typeof compiled !== "string"),
  );
  return (instance) => ({ request: apply(request, instance), response: apply(response, instance) });
}

const SIDES = ["request", "response"] as const;

/** The operation, or what is wrong with it. */
function compileOperation({ operation, name: written, value, from }: OperationConfig): Operation | string {
  const name = written.toLowerCase();
  const nameFault = headerNameFault(written);
  if (nameFault !== undefined) return nameFault;
  if (operation === "remove") {
    if (value !== undefined || from !== undefined) return `remove of "${name}" takes neither value nor from`;
    return { kind: "constant", operation: { operation, name } };
  }
  if ((value === undefined) === (from === undefined))
    return `${operation} of "${name}" needs either value or from`;
  if (from !== undefined) return { kind: "from", operation, name, key: from };
  const fault = faultOf(name, value as string);
  if (fault !== undefined) return fault;
  return { kind: "constant", operation: { operation, name, value: value as string } };
}

function apply(operations: readonly Operation[], instance: HeadersInstance): readonly HeaderOperation[] {
  const done: HeaderOperation[] = [];
  for (const operation of operations) {
    if (operation.kind === "constant") {
      done.push(operation.operation);
      continue;
    }
    const { name, key } = operation;
    const value = Object.hasOwn(instance.values, key) ? instance.values[key] : undefined;
    if (value === undefined) continue;
    const fault = faultOf(name, value);
    if (fault !== undefined) {
      const details: LogFields = { header: name, from: key };
      throw new PurserError("PURSER_HANDLER_FAILED", fault, {
        retryable: false,
        details,
      });
    }
    done.push({ operation: operation.operation, name, value });
  }
  return done;
}

function faultOf(name: string, value: string): string | undefined {
  return value.length > MAX_VALUE_LENGTH
    ? `The value of ${name} is longer than ${MAX_VALUE_LENGTH} characters`
    : headerValueFault(name, value);
}
