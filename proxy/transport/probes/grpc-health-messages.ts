// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The messages of grpc.health.v1 as gRPC frames them: a byte for the compression, four for the length, then
 * the protobuf message (grpc/doc/PROTOCOL-HTTP2.md, grpc/health/v1/health.proto).
 */

const FRAME_HEAD_BYTES = 5;

/** Field 1 of both messages: the service, as text; the status, as a varint. */
const SERVICE_TAG = 0x0a;
const STATUS_TAG = 0x08;

/** HealthCheckResponse.ServingStatus.SERVING. */
const SERVING = 1;

/** A framed HealthCheckRequest. @param service Empty for the whole server. */
export function encodeHealthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  // An empty text is protobuf's default, which is not written.
  const message =
    name.byteLength === 0 ? name : Buffer.from([SERVICE_TAG, ...varint(name.byteLength), ...name]);
  const frame = Buffer.alloc(FRAME_HEAD_BYTES + message.byteLength);
  frame.writeUInt32BE(message.byteLength, 1);
  message.copy(frame, FRAME_HEAD_BYTES);
  return frame;
}

/**
 * Whether the bytes are one framed HealthCheckResponse whose status is SERVING. Servers write nothing but the
 * status; a message with anything else, or a compressed one, is not SERVING.
 */
export function isServing(frame: Uint8Array): boolean {
  const [compressed, a, b, c, length, tag, status] = frame;
  return (
    frame.byteLength === FRAME_HEAD_BYTES + 2 &&
    compressed === 0 &&
    a === 0 &&
    b === 0 &&
    c === 0 &&
    length === 2 &&
    tag === STATUS_TAG &&
    status === SERVING
  );
}

function varint(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}
