// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { canonicalAddress } from "../../../kernel/matching/ip-address.ts";
import { parseBlock } from "../../../kernel/matching/ip-blocks.ts";
import { listedIn, listMisfit, type Misfit, type TextForm } from "./text-form.ts";

/** `source.ip`: one address, in canonical spelling. */
export const ADDRESS: TextForm = {
  noun: "an address",
  letters: "lower",
  numeric: false,
  family: "address",
  misfit(text, { start, end }) {
    if (start && end) return addressMisfit(text);
    return blockMisfit(text) ?? partMisfit(text);
  },
};

function addressMisfit(text: string): Misfit | undefined {
  const list = listedIn(text);
  if (list !== undefined) return listMisfit("an address", text);
  const block = blockMisfit(text);
  if (block !== undefined) return block;
  const address = canonicalAddress(text);
  if (address === text.toLowerCase()) return undefined;
  if (address !== undefined)
    return { reason: "an address has one spelling, without port and brackets", texts: [address] };
  return { reason: `${JSON.stringify(text)} is no IP address` };
}

/**
 * Corrects a block in the wrong notation: `10.0.0.0/8` compared as a text, `10.0.*` or `10.0.` for
 * `10.0.0.0/16`.
 */
function blockMisfit(text: string): Misfit | undefined {
  const [, octets, tail] = /^((?:\d{1,3}\.){1,3})(\*(?:\.\*)*|x)$/i.exec(text) ?? [];
  const given = (octets?.match(/\d+/g) ?? []).slice(0, 4);
  const block =
    tail === undefined
      ? text
      : `${[...given, ...Array<string>(4 - given.length).fill("0")].join(".")}/${8 * given.length}`;
  if (!block.includes("/") || !isBlock(block)) return undefined;
  return {
    reason: "it is one address, and a block holds many",
    condition: (subject) => `$cidr(${subject}, ${JSON.stringify(block)})`,
  };
}

function isBlock(text: string): boolean {
  try {
    parseBlock(text);
    return true;
  } catch {
    return false;
  }
}

function partMisfit(text: string): Misfit | undefined {
  return /^[0-9a-f.:]*$/i.test(text)
    ? undefined
    : { reason: `an address has digits, dots and colons alone, not ${JSON.stringify(text)}` };
}
