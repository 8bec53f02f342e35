// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Draw } from "../../expressions/fuzz/draw.ts";
import type { FuzzCase } from "./framed-message.ts";
import * as words from "./vocabulary.ts";

/** Probability, in %, that a part is drawn from the whole vocabulary instead of being the usual one. */
const UNUSUAL = 6;

/** Probability, in %, that a case's bytes are mutated after it is drawn. */
const MUTATED = 40;

export function drawCase(draw: Draw): FuzzCase {
  const kind = draw.odds(60) ? "request" : "response";
  const methods = draw.times(1, 2, () => (draw.odds(20) ? "HEAD" : "GET"));
  let text = draw.odds(5) ? draw.pick(["\r\n", "\r\n\r\n", "\r\n\r\n\r\n", "\n", "\r", " "]) : "";
  const messages = draw.int(1, 3);
  for (let index = 0; index < messages; index++) text += drawMessage(draw, kind === "request");
  if (draw.odds(MUTATED)) text = mutated(draw, text);
  return { kind, text, methods, splits: splitsOf(draw, text.length) };
}

function splitsOf(draw: Draw, length: number): number[] {
  if (length < 2 || draw.odds(40)) return [];
  if (length < 300 && draw.odds(10)) return Array.from({ length: length - 1 }, (_, at) => at + 1);
  return draw.times(1, 4, () => draw.int(1, length - 1)).toSorted((a, b) => a - b);
}

function usual(draw: Draw, all: readonly string[], common = 1): string {
  return draw.odds(UNUSUAL) ? draw.pick(all) : draw.pick(all.slice(0, common));
}

function drawMessage(draw: Draw, isRequest: boolean): string {
  const line = isRequest
    ? [usual(draw, words.METHODS, 4), usual(draw, words.TARGETS, 2), usual(draw, words.VERSIONS)].join(
        space(draw),
      )
    : [usual(draw, words.VERSIONS), draw.odds(50) ? "200 OK" : draw.pick(words.STATUS_LINES)].join(
        space(draw),
      );
  const fields: string[] = [];
  if (isRequest && !draw.odds(3)) fields.push(field(draw, "Host", usual(draw, words.HOSTS, 2)));
  if (isRequest && draw.odds(2)) fields.push(field(draw, "host", draw.pick(words.HOSTS)));
  const framing = draw.pick(["none", "length", "length", "chunked", "chunked", "both", "wild"]);
  let body = "";
  if (framing === "length" || framing === "both") {
    fields.push(field(draw, usual(draw, words.LENGTH_NAMES, 2), usual(draw, words.LENGTHS.slice(2))));
    body = draw.odds(90) ? "abc" : draw.pick(["", "ab", "abcd", "0\r\n\r\n"]);
  }
  if (framing === "chunked" || framing === "both") {
    fields.push(field(draw, usual(draw, words.CODING_NAMES, 2), usual(draw, words.CODINGS, 3)));
    if (framing === "chunked" || draw.odds(50)) body = chunkedBody(draw);
  }
  if (framing === "wild") {
    fields.push(
      ...draw.times(0, 2, () => field(draw, draw.pick(words.LENGTH_NAMES), draw.pick(words.LENGTHS))),
    );
    fields.push(
      ...draw.times(0, 2, () => field(draw, draw.pick(words.CODING_NAMES), draw.pick(words.CODINGS))),
    );
    body = draw.odds(50) ? chunkedBody(draw) : "abc";
  }
  fields.push(...draw.times(0, 3, () => otherField(draw)));
  const ordered = draw.odds(50) ? fields : fields.toReversed();
  return line + lineEnd(draw) + ordered.join("") + lineEnd(draw) + body;
}

function otherField(draw: Draw): string {
  if (draw.odds(12)) return field(draw, "Connection", draw.pick(words.CONNECTIONS));
  if (draw.odds(5)) return field(draw, "Upgrade", draw.pick(words.UPGRADES));
  if (draw.odds(5)) return field(draw, "Expect", "100-continue");
  return field(draw, usual(draw, words.OTHER_NAMES, 8), usual(draw, words.OTHER_VALUES, 6));
}

function field(draw: Draw, name: string, value: string): string {
  return name + usual(draw, draw.odds(40) ? words.SEPARATORS : [": "], 2) + value + lineEnd(draw);
}

function chunkedBody(draw: Draw): string {
  const isUnusual = draw.odds(40);
  const size = (): string => (isUnusual && draw.odds(30) ? draw.pick(words.SIZES) : "3");
  const end = (): string => (isUnusual ? lineEnd(draw) : "\r\n");
  const dataEnd = (): string => (isUnusual && draw.odds(10) ? draw.pick(words.DATA_ENDS) : "\r\n");
  const data = (): string => (draw.odds(95) ? "abc" : draw.pick(["ab", "abcd", ""]));
  const chunks = draw.times(0, 3, () => size() + end() + data() + dataEnd());
  const last = isUnusual && draw.odds(20) ? draw.pick(words.LAST_SIZES) : "0";
  const trailers = draw.odds(20) ? draw.times(1, 2, () => trailer(draw)).join("") : "";
  return chunks.join("") + last + end() + trailers + end();
}

function trailer(draw: Draw): string {
  if (draw.odds(10)) return field(draw, draw.pick(words.LENGTH_NAMES), draw.pick(words.LENGTHS));
  if (draw.odds(10)) return field(draw, draw.pick(words.CODING_NAMES), draw.pick(words.CODINGS));
  return otherField(draw);
}

function space(draw: Draw): string {
  return draw.odds(2) ? draw.pick(["  ", "\t", "", " \t", "\x0b", "\r\n", "\x80"]) : " ";
}

function lineEnd(draw: Draw): string {
  return draw.odds(1) ? draw.pick(words.LINE_ENDS) : "\r\n";
}

function mutated(draw: Draw, text: string): string {
  let mutant = text;
  for (let count = draw.int(1, 3); count > 0 && mutant.length > 0; count--) {
    const at = draw.int(0, mutant.length - 1);
    const end = Math.min(mutant.length, at + draw.int(0, 3));
    switch (draw.int(0, 4)) {
      case 0:
        mutant = mutant.slice(0, at) + mutant.slice(end);
        break;
      case 1:
        mutant = mutant.slice(0, at) + draw.pick(words.BYTES) + mutant.slice(at);
        break;
      case 2:
        mutant = mutant.slice(0, at) + draw.pick(words.BYTES) + mutant.slice(end);
        break;
      case 3:
        mutant = mutant.slice(0, end) + mutant.slice(at);
        break;
      default:
        mutant = mutant.slice(0, at) + String.fromCharCode(draw.int(0, 255)) + mutant.slice(at + 1);
    }
  }
  return mutant;
}
