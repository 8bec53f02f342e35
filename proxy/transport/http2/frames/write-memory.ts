// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Size of a piece of memory, in bytes: the heads and small bodies of one turn of a busy connection. */
const PIECE_BYTES = 16 * 1024;

/** Pieces that are kept: 2 MB. */
const MAX_PIECES = 128;

const pieces: Buffer[] = [];

/** Memory for the frames of one turn. A connection has it only while it has frames to write. */
export function takePiece(): Buffer {
  return pieces.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
}

/** Gives memory back. Nothing may refer to it any more. */
export function givePiece(piece: Buffer): void {
  if (piece.length === PIECE_BYTES && pieces.length < MAX_PIECES) pieces.push(piece);
}
