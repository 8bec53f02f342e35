// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { STATUS_CODES } from "../../kernel/status.ts";
import { ProtobufWriter } from "../exposition/protobuf-writer.ts";
import type { GrpcDetail, GrpcStatus } from "./grpc-status.ts";

/** Longest message for a gRPC client, in UTF-16 units: clients accept some 8 KiB of metadata. */
export const MAX_GRPC_MESSAGE_LENGTH = 512;

/** `message` within `MAX_GRPC_MESSAGE_LENGTH`, never cut within a surrogate pair. */
export function shortGrpcMessage(message: string): string {
  if (message.length <= MAX_GRPC_MESSAGE_LENGTH) return message;
  return message.slice(0, MAX_GRPC_MESSAGE_LENGTH).replace(/[\ud800-\udbff]$/, "");
}

/**
 * The value of `grpc-message`: UTF-8, with every byte outside printable ASCII and `%` percent-encoded
 * (gRPC over HTTP/2, "Responses").
 */
export function grpcMessageText(message: string): string {
  const text = shortGrpcMessage(message).replace(/\p{Surrogate}/gu, "\ufffd");
  return text.replace(/[^\x20-\x24\x26-\x7e]+/gu, encodeURIComponent);
}

/** A google.rpc.Status in protocol buffers' wire format, for `grpc-status-details-bin`. */
export function grpcStatusBytes({ code, message, details }: GrpcStatus): Uint8Array {
  const writer = new ProtobufWriter();
  writer.uint(1, STATUS_CODES.indexOf(code));
  writer.text(2, shortGrpcMessage(message));
  for (const detail of details) {
    // google.protobuf.Any
    writer.message(3, () => {
      writer.text(1, `type.googleapis.com/${detail.type}`);
      writer.message(2, () => {
        writeDetail(writer, detail);
      });
    });
  }
  return writer.take();
}

/** Field numbers of google/rpc/error_details.proto. */
function writeDetail(writer: ProtobufWriter, detail: GrpcDetail): void {
  switch (detail.type) {
    case "google.rpc.ErrorInfo": {
      writer.text(1, detail.reason);
      writer.text(2, detail.domain);
      for (const [key, value] of Object.entries(detail.metadata))
        writer.message(3, () => {
          writer.text(1, key);
          writer.text(2, value);
        });
      break;
    }
    case "google.rpc.RetryInfo": {
      const { retryDelayMs } = detail;
      // google.protobuf.Duration
      writer.message(1, () => {
        writer.uint(1, Math.floor(retryDelayMs / 1_000));
        writer.uint(2, Math.floor(retryDelayMs % 1_000) * 1_000_000);
      });
      break;
    }
    case "google.rpc.QuotaFailure":
      for (const { subject, description } of detail.violations)
        writer.message(1, () => {
          writer.text(1, subject);
          writer.text(2, shortGrpcMessage(description));
        });
      break;
  }
}
