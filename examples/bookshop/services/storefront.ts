// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Book } from "./catalog.ts";
import type { Answerer, Call } from "./service.ts";

interface Reviews {
  readonly version: string;
  readonly color?: string;
  readonly stars?: number;
  readonly reviews: readonly string[];
}

/** `/`: the shop's page, composed from catalog and reviews. */
export const storefront: Answerer = async ({ pathname }, call) => {
  if (pathname !== "/") return { status: 404, body: { error: "no such page" } };
  const { status, body } = await call("catalog", "/books");
  if (status !== 200) return { status: 502, body: { error: `the catalog answered ${status}` } };
  const sections = await Promise.all((body as readonly Book[]).map((book) => section(book, call)));
  return { status: 200, contentType: "text/html; charset=utf-8", body: page(sections.join("\n")) };
};

async function section(book: Book, call: Call): Promise<string> {
  const answer = await call("reviews", `/reviews/${encodeURIComponent(book.id)}`).catch(() => undefined);
  const heading = `  <h2>${escape(book.title)}</h2>\n  <p>${escape(book.author)}, ${book.year}</p>`;
  if (answer?.status !== 200) return `${heading}\n  <p>Reviews are not available right now.</p>`;
  const { version, color, stars, reviews } = answer.body as Reviews;
  const rating =
    stars === undefined
      ? ""
      : `\n  <p style="color:${color}">${"★".repeat(stars)}${"☆".repeat(5 - stars)}</p>`;
  const quotes = reviews.map((text) => `  <blockquote>${escape(text)}</blockquote>`).join("\n");
  return `${heading}${rating}\n${quotes}\n  <p><small>reviews ${escape(version)}</small></p>`;
}

function page(sections: string): string {
  return `<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>The Bookshop</title></head>\n<body>\n  <h1>The Bookshop</h1>\n${sections}\n</body>\n</html>\n`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
