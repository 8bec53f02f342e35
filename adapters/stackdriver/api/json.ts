// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Reading JSON whose form a server decides. */

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function at(value: unknown, key: string): unknown {
  return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export function textAt(value: unknown, key: string): string | undefined {
  const found = at(value, key);
  return typeof found === "string" ? found : undefined;
}

/** A number; int64 values are text in Google's JSON. */
export function numberAt(value: unknown, key: string): number | undefined {
  const found = at(value, key);
  const number = typeof found === "string" && /^-?\d{1,18}$/.test(found) ? Number(found) : found;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}
