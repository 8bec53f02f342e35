// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket } from "node:dgram";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** The server's answer to a query. */
export type DnsAnswer =
  | { readonly addresses: readonly string[]; readonly ttl: number; readonly truncated?: boolean }
  /** `silent`: no answer at all. */
  | "nxdomain"
  | "servfail"
  | "silent";

export interface DnsServer {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** Every query in order, as `A reviews.example.com`, with `tcp ` before those over TCP. */
  readonly queries: string[];
  close(): Promise<void>;
}

type QueryType = "A" | "AAAA";

const TYPE_CODES: ReadonlyMap<number, QueryType> = new Map([
  [1, "A"],
  [28, "AAAA"],
]);

/**
 * A DNS server on a free loopback port, over UDP and TCP (RFC 1035). It answers queries for A and AAAA.
 *
 * @param answer Called for each query, with the name in lower case. An answer that is `truncated` has the flag
 * TC and no records over UDP, and its records over TCP.
 */
export async function startDnsServer(
  answer: (name: string, type: QueryType) => DnsAnswer,
): Promise<DnsServer> {
  const queries: string[] = [];
  const respond = (query: Buffer, overTcp: boolean): Buffer | undefined => {
    const { name, type, end } = readQuestion(query);
    queries.push(`${overTcp ? "tcp " : ""}${type ?? "other"} ${name}`);
    const given = type === undefined ? "nxdomain" : answer(name, type);
    return given === "silent" ? undefined : response(query, end, given, overTcp);
  };

  // The TCP port is chosen first: the ephemeral ones of TCP are taken more often, by other tests' connections.
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    let received = Buffer.alloc(0);
    socket.on("data", (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const length = received.readUInt16BE(0);
        const reply = respond(received.subarray(2, 2 + length), true);
        received = received.subarray(2 + length);
        if (reply === undefined) continue;
        const prefix = Buffer.alloc(2);
        prefix.writeUInt16BE(reply.length);
        socket.write(Buffer.concat([prefix, reply]));
      }
    });
  });
  await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
  const { port } = tcp.address() as AddressInfo;

  const udp = createSocket("udp4");
  udp.on("message", (query, from) => {
    const reply = respond(query, false);
    if (reply !== undefined) udp.send(reply, from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => udp.once("error", reject).bind(port, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${port}`,
    queries,
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(resolve)),
        new Promise((resolve) => tcp.close(resolve)),
      ]);
    },
  };
}

function readQuestion(query: Buffer): { name: string; type: QueryType | undefined; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = TYPE_CODES.get(query.readUInt16BE(at + 1));
  return { name: labels.join(".").toLowerCase(), type, end: at + 5 };
}

function response(
  query: Buffer,
  questionEnd: number,
  answer: Exclude<DnsAnswer, "silent">,
  overTcp: boolean,
): Buffer {
  const found = typeof answer === "object" ? answer : undefined;
  const isCut = found?.truncated === true && !overTcp;
  const addresses = isCut ? [] : (found?.addresses ?? []);
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  // QR, AA, RD, RA; TC when cut.
  const code = answer === "nxdomain" ? 3 : answer === "servfail" ? 2 : 0;
  header.writeUInt16BE(0x8580 | (isCut ? 0x0200 : 0) | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) => {
    const data = bytesOf(address);
    const record = Buffer.alloc(12);
    // The name of the question, at offset 12.
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(data.length === 4 ? 1 : 28, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(found?.ttl ?? 0, 6);
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([header, query.subarray(12, questionEnd), ...records]);
}

/** Four bytes of an IPv4 address, or sixteen of an IPv6 address with one `::`. */
function bytesOf(address: string): Buffer {
  if (!address.includes(":")) return Buffer.from(address.split(".").map(Number));
  const [head = [], tail = []] = address
    .split("::")
    .map((part) => part.split(":").filter((group) => group !== ""));
  const bytes = Buffer.alloc(16);
  head.forEach((group, index) => bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2));
  tail.forEach((group, index) =>
    bytes.writeUInt16BE(Number.parseInt(group, 16), 16 - (tail.length - index) * 2),
  );
  return bytes;
}
