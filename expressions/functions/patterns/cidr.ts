// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AddressSet, createAddressSet, parseBlock } from "../../../kernel/matching/ip-blocks.ts";
import { messageOf } from "../../../kernel/errors.ts";
import { cached } from "./compiled-cache.ts";
import { functionError, quoted } from "../error-codes.ts";
import type { FunctionDefinition } from "../definition.ts";

/** Steps for each block that an address is compared with: all are parsed when the list is new. */
const STEPS_PER_BLOCK = 20;

/** Joins the blocks of a list to the key of the cache. No block contains a line break, so different lists have different keys. */
const SEPARATOR = "\n";

const addressSet = cached((blocks): AddressSet => createAddressSet(blocks.split(SEPARATOR).map(block)));

function block(text: string): ReturnType<typeof parseBlock> {
  try {
    return parseBlock(text);
  } catch (error: unknown) {
    throw functionError("D4001", `$cidr: ${quoted(text)} ${messageOf(error)}`);
  }
}

function setOf(blocks: string | readonly unknown[]): AddressSet {
  const entries = typeof blocks === "string" ? [blocks] : blocks;
  if (entries.length === 0) return createAddressSet([]);
  for (const entry of entries) {
    if (typeof entry !== "string" || entry.includes(SEPARATOR))
      throw functionError("D4001", `$cidr: ${quoted(String(entry))} is not an IP address or a CIDR block`);
  }
  return addressSet(entries.join(SEPARATOR));
}

function cidr(
  address: string | undefined,
  blocks: string | readonly unknown[] | undefined,
): boolean | undefined {
  if (address === undefined || blocks === undefined) return undefined;
  return setOf(blocks).has(address);
}

export const CIDR_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "cidr",
    signature: "<s-(as):b>",
    cost: (guard, [, blocks]) => {
      if (Array.isArray(blocks)) guard.tick(blocks.length * STEPS_PER_BLOCK);
    },
    implementation: cidr,
    checks: { test: "block", searches: true },
    docs: {
      summary:
        "Whether an IPv4 or IPv6 address is in a block, or in one of an array of blocks. A block is an address or `address/bits`. An IPv4-mapped address (`::ffff:10.0.0.1`) is the IPv4 address; a port and brackets are passed over. What is no address is in no block.",
      parameters: ["address", "blocks"],
      examples: [
        { expression: '$cidr("10.1.2.3", "10.0.0.0/8")', result: true },
        { expression: '$cidr("2001:db8::7", ["10.0.0.0/8", "2001:db8::/32"])', result: true },
        { expression: '$cidr("unknown", "10.0.0.0/8")', result: false },
      ],
    },
    prepare([blocks, ...more]) {
      if (more.length > 0 || !(typeof blocks === "string" || Array.isArray(blocks))) return undefined;
      const set = setOf(blocks);
      return (address: string | undefined) => (address === undefined ? undefined : set.has(address));
    },
  },
];
