// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Inferred } from "../inference/inferred.ts";
import { runsOfGlob, waysOf } from "../patterns.ts";
import { subjectText, type TextTest } from "../inference/text-tests.ts";
import type { PlacedTest } from "./placed-test.ts";
import { noteBypass } from "./note-bypass.ts";

/**
 * Notes suffixes of a host: `ALLOW` when `$endsWith(request.host, "example.com")` lets `evilexample.com`
 * pass.
 */
export function checkHostTest({ test, role }: PlacedTest, inference: Inferred): void {
  if (role !== "admit" || test.subject.shape.form?.family !== "host") return;
  const looseness = looseHost(test);
  if (looseness === undefined) return;
  const { text, example } = looseness;
  const subject = test.subject.node && subjectText(test.subject, inference.findings);
  const host = text?.replace(/^\.|\.$/g, "");
  const suggestion =
    subject === undefined || host === undefined || !/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(host)
      ? undefined
      : `(${subject} = "${host}" or $endsWith(${subject}, ".${host}"))`;
  noteBypass(
    test.node,
    `this lets ${JSON.stringify(example)} pass too: a host is compared whole`,
    suggestion,
    inference,
  );
}

interface Looseness {
  /** The text that the test looks for. */
  readonly text: string | undefined;
  /** A host that the test accepts and the author did not mean. */
  readonly example: string;
}

function looseHost({ manner, constants: [constant] }: TextTest): Looseness | undefined {
  const { constant: text, pattern } = constant?.shape ?? {};
  if (pattern !== undefined) return loosePattern(pattern);
  if (typeof text !== "string" || text === "") return undefined;
  if (manner === "part") return { text, example: `${text.replace(/\.$/, "")}.evil.example` };
  if (manner === "start") return { text, example: `${text.replace(/\.$/, "")}.evil.example` };
  if (manner === "end") return text.startsWith(".") ? undefined : { text, example: `evil${text}` };
  if (manner !== "glob") return undefined;
  const runs = runsOfGlob(text);
  const last = runs.at(-1);
  if (!/[*?[{]/.test(text)) return undefined;
  if (last?.end !== true)
    return /[[{]/.test(text) ? undefined : { text: last?.text, example: `${last?.text ?? ""}x.evil.example` };
  return last.start || last.text.startsWith(".") || runs.length > 1
    ? undefined
    : { text: last.text, example: `evil${last.text}` };
}

function loosePattern(pattern: RegExp): Looseness | undefined {
  for (const { anchored, runs, text, bareDot } of waysOf(pattern) ?? []) {
    const shown = text ?? runs.at(-1)?.text ?? "";
    if (!anchored.end) return { text, example: `${shown}.evil.example` };
    if (!anchored.start && runs.at(-1)?.text.startsWith(".") !== true)
      return { text, example: `evil${shown}` };
    if (bareDot) return { text, example: shown.replace(".", "x") };
  }
  return undefined;
}

/** Notes prefixes of an address: `ALLOW` when `$startsWith(source.ip, "10.1")` lets `10.100.0.1` pass. */
export function checkAddressTest({ test, role }: PlacedTest, inference: Inferred): void {
  if (role !== "admit" || test.subject.shape.form?.family !== "address") return;
  const { manner } = test;
  const { constant: text, pattern } = test.constants[0]?.shape ?? {};
  const ways = (pattern && waysOf(pattern)) ?? [];
  const isLoose =
    pattern === undefined
      ? typeof text === "string" &&
        (manner === "part" || manner === "end" || (manner === "start" && /[0-9a-f]$/.test(text)))
      : ways.some(({ anchored, plain, runs, bareDot }) => {
          const isOpen = plain && !anchored.end && /[0-9a-f]$/.test(runs.at(-1)?.text ?? "");
          return !anchored.start || isOpen || bareDot;
        });
  if (!isLoose) return;
  const subject = test.subject.node && subjectText(test.subject, inference.findings);
  const block = blockOf(typeof text === "string" ? text : (ways[0]?.text ?? ""));
  noteBypass(
    test.node,
    "addresses are compared by their digits here, which other addresses have too: $cidr compares blocks",
    subject && block && `$cidr(${subject}, "${block}")`,
    inference,
  );
}

/** The CIDR block that `10.1` or `10.1.` is a prefix of. */
function blockOf(text: string): string | undefined {
  const octets = /^(?:\d{1,3}\.){0,3}\d{1,3}\.?$/.test(text) ? (text.match(/\d+/g) ?? []) : [];
  if (octets.length === 0) return undefined;
  return `${[...octets, ...Array<string>(4 - octets.length).fill("0")].join(".")}/${8 * octets.length}`;
}
