// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { BodyReceiver } from "../../contract/body.ts";
import type { Framing } from "./framing.ts";
import { MessageFault } from "./message-fault.ts";

/** Takes a message's body out of a connection's bytes. One reader serves a connection's messages in turn. */
export class BodyReader {
  /** Receives the body; without one it is discarded. May be changed at any time, also from its own calls. */
  receiver: BodyReceiver | undefined;
  /** Whether the body ended; true before the first `begin`. */
  done = true;
  /** Set when the bytes violate the framing: nothing more can be read from the connection. */
  fault: MessageFault | undefined;

  /** Begins a body. A body of kind `none` is done at once: its receiver's onEnd is called. */
  begin(_framing: Framing, receiver: BodyReceiver | undefined): void {
    this.receiver = receiver;
    this.done = false;
  }

  /**
   * Reads a chunk from an offset on; chunks that it hands over are views of it.
   *
   * @returns The offset after the bytes of the body: the chunk's length unless the body is `done`; -1 after a
   * `fault`.
   */
  read(_chunk: Buffer, _offset: number): number {
    this.fault = new MessageFault("bad_request", "not implemented");
    return -1;
  }

  /**
   * The peer ended the connection: ends a body whose framing is until-close.
   *
   * @returns Whether the body is complete.
   */
  finish(): boolean {
    return this.done;
  }
}
