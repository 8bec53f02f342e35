// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../../core/attributes/bag.ts";

const HUGE = "x".repeat(100_000);
const UNICODE = 'Zoë 🛳️ \u202Eשלום\u0000\ud800\n"\\';

/** The bag of an ordinary request. */
export function requestBag(): AttributeBag {
  return {
    request: {
      id: "a1b2",
      method: "GET",
      scheme: "http",
      host: "shop.example.com",
      path: "/reviews/0?page=2",
      url_path: "/reviews/0",
      query_params: { page: "2" },
      headers: { "x-user": "ada", accept: "application/json" },
      time: "2026-01-01T00:00:00.000Z",
      size: 0,
    },
    source: { ip: "203.0.113.9", service: { name: "storefront" } },
    destination: { ip: "10.0.0.7", port: 8080, service: { name: "reviews", host: "reviews.example.com" } },
    connection: { mtls: false },
  };
}

/** The bag of an ordinary request that was answered. */
export function reportedBag(): AttributeBag {
  return {
    ...requestBag(),
    response: { code: 200, size: 2, duration: 1.5, headers: {}, time: "2026-01-01T00:00:00.012Z" },
    check: { cache_hit: false },
  };
}

/** Bags that clients and incomplete proxies can produce, each with a description. */
export function unusualBags(): readonly (readonly [what: string, bag: AttributeBag])[] {
  const empty = { "x-user": "", host: "" };
  return [
    ["an empty bag", {}],
    ["a request without headers", { request: { method: "GET" } }],
    ["empty texts", { request: { method: "", host: "", path: "", url_path: "", headers: empty } }],
    ["unusual characters", unusualTexts(UNICODE)],
    ["huge texts", unusualTexts(HUGE)],
    [
      "a thousand headers",
      {
        request: {
          headers: Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`x-header-${n}`, `${n}`])),
        },
      },
    ],
    [
      "lists, numbers and objects where texts are usual",
      {
        request: {
          method: 1,
          host: ["a", "b"],
          path: true,
          headers: { "x-user": ["ada", "eve"], accept: {} },
        },
        source: "nowhere",
        destination: [],
      },
    ],
  ];
}

function unusualTexts(text: string): AttributeBag {
  return {
    request: {
      method: text,
      host: text,
      path: text,
      url_path: text,
      headers: { "x-user": text, [text]: text },
    },
    source: { ip: text, principal: text },
  };
}
