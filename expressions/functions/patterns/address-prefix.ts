// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ADDRESS_BITS, addressPrefix as prefixOf } from "../../../kernel/matching/address-prefix.ts";
import { functionError } from "../error-codes.ts";
import type { FunctionDefinition } from "../definition.ts";

/** Steps of a call: parsing, masking and writing an IPv6 address takes about 1 µs; measured. */
const STEPS = 10;

function addressPrefix(
  address: string | undefined,
  v4Bits: number | undefined,
  v6Bits: number | undefined,
): string | undefined {
  if (v4Bits !== undefined) refuseLength(v4Bits, ADDRESS_BITS.v4, "IPv4");
  if (v6Bits !== undefined) refuseLength(v6Bits, ADDRESS_BITS.v6, "IPv6");
  if (address === undefined || v4Bits === undefined || v6Bits === undefined) return undefined;
  return prefixOf(address, v4Bits, v6Bits);
}

function refuseLength(bits: number, most: number, family: string): void {
  if (!Number.isInteger(bits) || bits < 0 || bits > most)
    throw functionError(
      "D4009",
      `$addressPrefix: the prefix length of ${family} is ${bits}, which is not an integer from 0 to ${most}`,
    );
}

export const ADDRESS_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "addressPrefix",
    signature: "<s-nn:s?>",
    cost: (guard) => guard.tick(STEPS),
    implementation: addressPrefix,
    docs: {
      summary:
        "The block that an address is in, with one prefix length for IPv4 and one for IPv6, in canonical text: a key that counts a whole network, such as the /64 that one IPv6 client has for itself. An IPv4-mapped address (`::ffff:10.0.0.1`) counts as the IPv4 address; a port, brackets and a zone are passed over. No value for text that is not an address.",
      parameters: ["address", "v4Bits", "v6Bits"],
      examples: [
        { expression: '$addressPrefix("192.0.2.77", 24, 64)', result: "192.0.2.0/24" },
        { expression: '$addressPrefix("2001:db8:0:0:1::7", 24, 64)', result: "2001:db8::/64" },
        { expression: '$addressPrefix("::ffff:192.0.2.77", 24, 64)', result: "192.0.2.0/24" },
        { expression: '$addressPrefix("unknown", 24, 64)', result: undefined },
      ],
    },
    prepare([v4Bits, v6Bits, ...more]) {
      if (more.length > 0 || typeof v4Bits !== "number" || typeof v6Bits !== "number") return undefined;
      refuseLength(v4Bits, ADDRESS_BITS.v4, "IPv4");
      refuseLength(v6Bits, ADDRESS_BITS.v6, "IPv6");
      return (address: string | undefined) =>
        address === undefined ? undefined : prefixOf(address, v4Bits, v6Bits);
    },
  },
];
