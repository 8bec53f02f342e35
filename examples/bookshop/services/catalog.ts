// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Answer, Answerer } from "./service.ts";

export interface Book {
  readonly id: string;
  readonly title: string;
  readonly author: string;
  readonly year: number;
}

const BOOKS: readonly Book[] = [
  { id: "1", title: "The Comedy of Errors", author: "William Shakespeare", year: 1594 },
  { id: "2", title: "Two Years Before the Mast", author: "Richard Henry Dana Jr.", year: 1840 },
  { id: "3", title: "The Purser's Handbook", author: "A. Steward", year: 1901 },
];

const NOT_FOUND: Answer = { status: 404, body: { error: "no such book" } };

/** `/books` and `/books/ID`. */
export const catalog: Answerer = ({ pathname }) => {
  if (pathname === "/books") return { status: 200, body: BOOKS };
  const id = /^\/books\/([^/]+)$/.exec(pathname)?.[1];
  const book = BOOKS.find((candidate) => candidate.id === id);
  return book === undefined ? NOT_FOUND : { status: 200, body: book };
};
