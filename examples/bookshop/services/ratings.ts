// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Answerer } from "./service.ts";

const STARS: Readonly<Record<string, number>> = { "1": 4, "2": 5, "3": 3 };

/** `/ratings/ID`. It would let anybody delete a rating: only the policy prevents that. */
export const ratings: Answerer = ({ pathname }, _call, { method }) => {
  const id = /^\/ratings\/([^/]+)$/.exec(pathname)?.[1];
  if (id === undefined || STARS[id] === undefined) return { status: 404, body: { error: "no such book" } };
  if (method === "DELETE") return { status: 200, body: { id, deleted: true } };
  return { status: 200, body: { id, stars: STARS[id] } };
};
