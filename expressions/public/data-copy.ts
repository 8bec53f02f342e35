// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * A deep copy of data for the reference interpreter, which writes to its input: it appends to arrays that it
 * groups, and a transform changes the parts that its pattern finds. Arrays and plain objects are copied,
 * other values are shared. Shared parts and cycles stay so in the copy.
 */
export function copyOfData<Value>(value: Value): Value {
  const copies = new Map<object, unknown>();
  const copy = (given: unknown): unknown => {
    if (typeof given !== "object" || given === null || !isPlain(given)) return given;
    const known = copies.get(given);
    if (known !== undefined) return known;
    const made: object = Array.isArray(given)
      ? []
      : (Object.create(Object.getPrototypeOf(given) as object | null) as object);
    copies.set(given, made);
    // Defined as an own property, so that a key named __proto__ is an ordinary key.
    for (const [name, member] of Object.entries(given))
      Object.defineProperty(made, name, {
        value: copy(member),
        writable: true,
        enumerable: true,
        configurable: true,
      });
    return made;
  };
  return copy(value) as Value;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}
