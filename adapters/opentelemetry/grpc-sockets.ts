// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";
import type { ChannelCredentials } from "@grpc/grpc-js";

/**
 * The sockets of a channel. @grpc/grpc-js closes its sessions with HTTP/2's graceful close, which waits for ever for a server that
 * never sends its settings; so the sender destroys the sockets itself.
 */
export class GrpcSockets {
  readonly #open = new Set<Socket>();
  #destroyed = false;

  /**
   * The same credentials, whose connections are noted. The method is internal to @grpc/grpc-js, which has no public way to
   * a socket; the package is pinned, and the contract's test of `close` finds a version that changes it.
   */
  tracking(credentials: ChannelCredentials): ChannelCredentials {
    const create = credentials._createSecureConnector.bind(credentials);
    credentials._createSecureConnector = (...options) => {
      const connector = create(...options);
      const connect = connector.connect.bind(connector);
      connector.connect = (socket) => {
        this.#note(socket);
        return connect(socket);
      };
      return connector;
    };
    return credentials;
  }

  /** Destroys every socket, and those that are still being connected as soon as they are. */
  destroy(): void {
    this.#destroyed = true;
    for (const socket of this.#open) socket.destroy();
  }

  #note(socket: Socket): void {
    if (this.#destroyed) socket.destroy();
    this.#open.add(socket);
    socket.once("close", () => void this.#open.delete(socket));
  }
}
