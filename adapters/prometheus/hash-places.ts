// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Characters of a value's end that are compared: a service's name stands before `.default.svc.cluster.local`. */
const LAST_CHARACTERS = 32;

/** Label sets that are compared. */
const SAMPLES = 64;

/**
 * The place in which the values of a label differ most, for each label: the values of a label often differ in few places, status
 * codes in the first character, hosts of one domain before its name.
 *
 * @param labels The number of labels.
 * @param sets Label sets, each with its values in the order of the labels; at most 64 of them are compared, which takes 0.2 ms for
 * four labels.
 * @returns Places counted from the values' ends: 0 is the last character. Of places that are as good, the nearest to the end.
 */
export function hashPlaces(labels: number, sets: readonly (readonly string[])[]): readonly number[] {
  const step = Math.ceil(sets.length / SAMPLES);
  const samples = sets.filter((_, index) => index % step === 0);
  return Array.from({ length: labels }, (_, label) => {
    const values = samples.map((values) => values[label] ?? "");
    const kinds = Array.from({ length: LAST_CHARACTERS }, (_, place) => kindsAt(values, place));
    return kinds.indexOf(Math.max(...kinds));
  });
}

/** Number of different pairs of a length and a character. */
function kindsAt(values: readonly string[], place: number): number {
  const pairs = values.map(
    (value) =>
      value.length * 0x1_0000 + (value.length > place ? value.charCodeAt(value.length - 1 - place) : 0),
  );
  return new Set(pairs).size;
}
