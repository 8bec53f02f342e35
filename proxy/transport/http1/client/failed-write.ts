// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

/**
 * Reads a socket to its end when a write on it has failed, instead of destroying it at once as Node does. An upstream
 * that answers before it has read the whole request, and closes, resets the connection: the next write fails, while
 * the answer is still in the kernel's buffer.
 *
 * The socket is destroyed, with the error of the write, in the first turn of the event loop that brings no byte. No
 * more than the kernel's buffer can come after a reset. A socket that is paused waits for its reader, whose own
 * deadlines end it.
 *
 * @param mayBeAnswered Asked when a write has failed: whether the upstream may have got a part of the request. What
 * else it has sent answers nothing.
 */
export function readAfterFailedWrite(socket: Socket, mayBeAnswered: () => boolean): void {
  const destroy = socket.destroy.bind(socket);
  let isReading = false;
  socket.destroy = (error?: NodeJS.ErrnoException): Socket => {
    if (isReading || error?.syscall !== "write" || !mayBeAnswered()) return destroy(error);
    isReading = true;
    destroyWhenRead(socket, () => destroy(error));
    return socket;
  };
}

function destroyWhenRead(socket: Socket, destroy: () => void): void {
  const bytesRead = socket.bytesRead;
  // The first may come in the turn under way, after its sockets were read.
  setImmediate(() =>
    setImmediate(() => {
      if (socket.destroyed) return;
      const again = (): void => destroyWhenRead(socket, destroy);
      if (socket.isPaused()) socket.once("resume", again);
      else if (socket.bytesRead > bytesRead) again();
      else destroy();
    }),
  );
}
