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

/**
 * Longest value: Node and Envoy refuse header blocks of more than 16 and 60 KiB, and one value must not take
 * most of that.
 */
const MAX_VALUE_LENGTH = 8192;

/** A compiled operation: its value is a constant or comes from the instance. */
type Operation =
  | { readonly kind: "constant"; readonly operation: HeaderOperation }
  | {
      readonly kind: "from";
      readonly operation: "set" | "append";
      readonly name: string;
      readonly key: string;
    };

/** The faults of all operations. */
export function faultsOf(config: Config): readonly ConfigFault[] {
  return SIDES.flatMap((side) =>
    config[side].flatMap((operation, index) => {
      const compiled = compileOperation(operation);
      return typeof compiled === "string" ? [{ path: [side, index], message: compiled }] : [];
    }),
  );
}

/**
 * Compiles a configuration without faults (see `faultsOf`) into a function from an instance to header
 * changes.
 *
 * The function throws PURSER_HANDLER_FAILED, not retryable, for a value that is not valid in a header:
 * dropping it would let a request continue without a header that an upstream may rely on.
 */
export function compileOperations(config: Config): (instance: HeadersInstance) => HeaderChanges {
  const [request = [], response = []] = SIDES.map((side) =>
    config[side].map(compileOperation).filter((compiled) => typeof compiled !== "string"),
  );
  return (instance) => ({ request: apply(request, instance), response: apply(response, instance) });
}

const SIDES = ["request", "response"] as const;

/** The compiled operation, or a fault. */
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
