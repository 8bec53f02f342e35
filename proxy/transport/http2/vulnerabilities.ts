// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A vulnerability of node:http2 that a proxy cannot prevent. */
interface Vulnerability {
  readonly id: string;
  readonly effect: string;
  /** The first release of each major version without it. An older major version than the first is never fixed. */
  readonly fixedIn: readonly (readonly [major: number, minor: number, patch: number])[];
}

/** From Node's security releases. */
const VULNERABILITIES: readonly Vulnerability[] = [
  {
    id: "CVE-2024-27983",
    effect: "a client can stop the process by CONTINUATION frames",
    fixedIn: [
      [18, 20, 1],
      [20, 12, 1],
      [21, 7, 2],
    ],
  },
  {
    id: "CVE-2026-123866",
    effect: "a response can reach the client of another connection",
    fixedIn: [
      [22, 23, 5],
      [24, 22, 3],
      [26, 13, 1],
    ],
  },
];

/**
 * The known vulnerabilities of a release of Node.js in HTTP/2, each as `ID: effect`.
 *
 * @param version Such as `20.20.2`.
 */
export function http2Vulnerabilities(version: string): readonly string[] {
  const release = version.split(".").map(Number);
  return VULNERABILITIES.filter(({ fixedIn }) => !isFixed(release, fixedIn)).map(
    ({ id, effect }) => `${id}: ${effect}`,
  );
}

/** A major version between two fixed ones is not fixed; one above the last is. */
function isFixed(
  [major = 0, minor = 0, patch = 0]: readonly number[],
  fixedIn: Vulnerability["fixedIn"],
): boolean {
  const last = fixedIn.at(-1)?.[0] ?? 0;
  if (major > last) return true;
  const fix = fixedIn.find(([fixedMajor]) => fixedMajor === major);
  return fix !== undefined && (minor > fix[1] || (minor === fix[1] && patch >= fix[2]));
}
