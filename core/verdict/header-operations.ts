// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isReservedHeader, isSingleHeader } from "../attributes/header-fields.ts";
import type { HeaderOperation } from "../templates/instances.ts";
import type { HeaderField } from "./reply.ts";

/** The headers of a message, as header operations change them. Names are in lower case. */
export interface EditableHeaders {
  /** Adds a field; replaces a single-valued field such as content-type instead. */
  append(name: string, value: string): void;
  /** Replaces all fields of this name by one. */
  set(name: string, value: string): void;
  remove(name: string): void;
}

/** Applies one header operation. Reserved headers, which frame and route the message, are not changed. */
export function applyHeaderOperation(
  headers: EditableHeaders,
  operation: HeaderOperation["operation"],
  name: string,
  value: string | undefined,
): void {
  if (isReservedHeader(name)) return;
  if (operation === "remove" || value === undefined) headers.remove(name);
  else headers[operation](name, value);
}

/** The headers after a policy's operations. */
export function applyHeaderOperations(
  headers: readonly HeaderField[],
  operations: readonly HeaderOperation[],
): readonly HeaderField[] {
  const fields = new FieldList(headers);
  for (const { operation, name, value } of operations) applyHeaderOperation(fields, operation, name, value);
  return fields.fields;
}

class FieldList implements EditableHeaders {
  fields: readonly HeaderField[];

  constructor(fields: readonly HeaderField[]) {
    this.fields = fields;
  }

  append(name: string, value: string): void {
    if (isSingleHeader(name)) this.set(name, value);
    else this.fields = [...this.fields, [name, value]];
  }

  set(name: string, value: string): void {
    this.remove(name);
    this.fields = [...this.fields, [name, value]];
  }

  remove(name: string): void {
    this.fields = this.fields.filter(([other]) => other !== name);
  }
}
