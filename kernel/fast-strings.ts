// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Makes the methods of strings fast again after a library has declared a subclass of `String`.
 *
 * V8 (11.3, in Node 20) then turns `String.prototype` into a dictionary (slow properties) and leaves it one:
 * no string method is inlined any more in the whole process. Reading a time took four times as long.
 * Enumerating an object that inherits from the prototype makes it fast again, and does nothing where it is
 * fast.
 */
export function restoreFastStrings(): void {
  for (const _ in Object("")) break;
}

/**
 * A copy of the text, for whoever keeps it: a part of a longer string keeps the whole string alive in V8, so
 * that a cache of header values would hold the heads of its requests. The copy is internalized: V8 compares
 * such strings by address.
 */
export function ownText(text: string): string {
  // The keys of an object are internalized strings of their own.
  return Object.keys({ [text]: 0 })[0] as string;
}
