// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PeerFacts } from "../../../../core/identity/peer-identity.ts";

// Node tells a certificate's extended key usage, but not its key usage. A handshake cannot wait for a library of ASN.1 to load.

/** The content of an element in DER, and the offset of the next element. */
interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** Tags of X.690, section 8; extensions are `[3]` in a TBSCertificate (RFC 5280, section 4.1). */
const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
const OCTET_STRING = 0x04;
const BIT_STRING = 0x03;
const EXTENSIONS = 0xa3;

/** 2.5.29.15 (RFC 5280, section 4.2.1.3). */
const KEY_USAGE = Buffer.from([0x55, 0x1d, 0x0f]);

/** Bits of the first octet of a KeyUsage; bit 0 is the highest. */
const DIGITAL_SIGNATURE = 0x80;
const KEY_CERT_SIGN = 0x04;
const CRL_SIGN = 0x02;

/** A form that OpenSSL does not accept in a handshake either: nothing is known of the key, so that every use counts. */
const UNREADABLE = { digitalSignature: false, keyCertSign: true, cRLSign: true };

/** The key usage of a certificate in DER; undefined without the extension. A certificate that cannot be read may do what no workload may. */
export function keyUsageOf(der: Buffer): PeerFacts["keyUsage"] {
  const certificate = elementAt(der, 0, der.length);
  const signed = certificate && elementAt(der, certificate.start, certificate.end);
  if (signed?.tag !== SEQUENCE) return UNREADABLE;
  const fields = elementsOf(der, signed);
  if (fields === undefined) return UNREADABLE;
  const wrapper = fields.find(({ tag }) => tag === EXTENSIONS);
  if (wrapper === undefined) return undefined;
  const list = elementAt(der, wrapper.start, wrapper.end);
  const extensions = list && elementsOf(der, list);
  if (extensions === undefined) return UNREADABLE;
  for (const extension of extensions) {
    const parts = elementsOf(der, extension);
    const [id] = parts ?? [];
    if (parts === undefined || id?.tag !== OBJECT_IDENTIFIER) return UNREADABLE;
    if (der.compare(KEY_USAGE, 0, KEY_USAGE.length, id.start, id.end) === 0)
      return usageOf(der, parts.at(-1));
  }
  return undefined;
}

function usageOf(der: Buffer, value: Element | undefined): PeerFacts["keyUsage"] {
  if (value?.tag !== OCTET_STRING) return UNREADABLE;
  const bits = elementAt(der, value.start, value.end);
  if (bits?.tag !== BIT_STRING || bits.end <= bits.start) return UNREADABLE;
  // The first octet counts the unused bits of the last one. Named bits that are zero at the end are left out (X.690, 11.2.2).
  const flags = bits.end > bits.start + 1 ? der.readUInt8(bits.start + 1) : 0;
  return {
    digitalSignature: (flags & DIGITAL_SIGNATURE) !== 0,
    keyCertSign: (flags & KEY_CERT_SIGN) !== 0,
    cRLSign: (flags & CRL_SIGN) !== 0,
  };
}

/** Every element within another; undefined when one does not end within it. */
function elementsOf(der: Buffer, { start, end }: Element): readonly Element[] | undefined {
  const found: Element[] = [];
  for (let at = start; at < end; ) {
    const element = elementAt(der, at, end);
    if (element === undefined) return undefined;
    found.push(element);
    at = element.end;
  }
  return found;
}

/** The element at the offset; undefined when it does not end before `end`, or has a length of more than 4 octets. */
function elementAt(der: Buffer, at: number, end: number): Element | undefined {
  if (at + 2 > end) return undefined;
  const tag = der.readUInt8(at);
  const first = der.readUInt8(at + 1);
  const octets = first < 0x80 ? 0 : first - 0x80;
  // X.690, section 8.1.3: 0x80 is the indefinite form, which DER does not have.
  if (first === 0x80 || octets > 4 || at + 2 + octets > end) return undefined;
  const length = octets === 0 ? first : der.readUIntBE(at + 2, octets);
  const start = at + 2 + octets;
  return start + length > end ? undefined : { tag, start, end: start + length };
}
