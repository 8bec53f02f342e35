// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../core/attributes/bag.ts";

/**
 * Requests as the proxy describes them to the mixer (docs/reference/attributes.md). They differ in their optional
 * attributes, and so in object shape: an expression timed over all of them meets the same variety as in a
 * mesh.
 */

const CLIENT = {
  ip: "10.12.4.7",
  port: 41_822,
  namespace: "shop",
  principal: "cluster.local/ns/shop/sa/productpage",
  labels: { app: "productpage", version: "v1", tier: "web" },
  workload: { name: "productpage-v1", namespace: "shop" },
};

const DESTINATION = {
  ip: "10.12.9.31",
  port: 9080,
  namespace: "shop",
  labels: { app: "reviews", version: "v2" },
  service: { name: "reviews", namespace: "shop", host: "reviews.shop.svc.cluster.local" },
};

const SIGNED_IN: AttributeBag = {
  source: CLIENT,
  destination: DESTINATION,
  origin: { ip: "203.0.113.57" },
  request: {
    id: "7c1f3f0e-8a53-4e35-9a0c-0f2b6f9be2a1",
    method: "GET",
    scheme: "https",
    host: "shop.example.com",
    path: "/api/v1/reviews/42?lang=en&page=3",
    url_path: "/api/v1/reviews/42",
    query_params: { lang: "en", page: "3" },
    headers: {
      host: "shop.example.com",
      "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0",
      "x-user": "ann",
      "x-group": "staff",
      "x-tier": "gold",
      "accept-language": "en-GB,en;q=0.8",
      "content-length": "0",
      cookie: "session=0f2b6f9b; theme=dark",
    },
    useragent: "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0",
    time: "2026-05-04T09:30:11.250Z",
    size: 0,
    auth: {
      principal: "https://id.example.com/ann",
      audiences: "shop",
      presenter: "web",
      claims: {
        iss: "https://id.example.com",
        sub: "ann",
        aud: ["shop", "blog"],
        role: "editor",
        roles: ["reader", "editor", "admin"],
        email: "Ann@Example.com",
        scope: "reviews:read reviews:write",
        iat: 1_777_886_000,
        exp: 1_777_889_600,
        age: 34,
      },
    },
    trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
  },
  api: { service: "reviews", version: "v1", operation: "getReview", protocol: "http" },
  connection: { mtls: true, requested_server_name: "reviews.shop.svc.cluster.local" },
};

const ANONYMOUS: AttributeBag = {
  source: { ip: "198.51.100.20", port: 50_112 },
  destination: { ip: "10.12.9.31", port: 9080, service: { name: "productpage", namespace: "shop" } },
  request: {
    method: "GET",
    scheme: "http",
    host: "shop.example.com",
    path: "/",
    url_path: "/",
    headers: { host: "shop.example.com" },
    time: "2026-05-04T09:30:12.000Z",
  },
  connection: { mtls: false },
};

const UPLOAD: AttributeBag = {
  source: CLIENT,
  destination: { ...DESTINATION, service: { name: "ratings", namespace: "shop" }, labels: { version: "v1" } },
  request: {
    method: "POST",
    scheme: "http",
    host: "ratings",
    path: "/api/v2/ratings/42",
    url_path: "/api/v2/ratings/42",
    headers: {
      host: "ratings",
      "x-user": "bob",
      "content-length": "18432",
      "content-type": "application/json; charset=utf-8",
    },
    time: "2026-05-04T22:10:00.004Z",
    size: 18_432,
    auth: {
      claims: { sub: "bob", role: "reader", roles: "reader", aud: ["shop"], scope: "ratings:write", age: 16 },
    },
  },
  connection: { mtls: true },
};

const ROBOT: AttributeBag = {
  source: { ip: "192.0.2.66", labels: { version: "v0" } },
  destination: DESTINATION,
  request: {
    method: "HEAD",
    scheme: "https",
    host: "shop.example.com",
    path: "/admin/metrics?token=",
    url_path: "/admin/metrics",
    query_params: { token: "" },
    headers: {
      host: "shop.example.com",
      "user-agent": "ExampleBot/2.1 (+https://bot.example.net)",
      "x-tier": "free",
      "x-forwarded-for": "192.0.2.66, 10.0.0.1",
    },
    useragent: "ExampleBot/2.1 (+https://bot.example.net)",
    time: "2026-05-04T03:00:00.000Z",
    api_key: "k-1234",
  },
};

const SERVICE_CALL: AttributeBag = {
  source: {
    ...CLIENT,
    namespace: "platform",
    principal: "cluster.local/ns/platform/sa/backup",
    labels: { app: "backup" },
  },
  destination: DESTINATION,
  request: {
    method: "DELETE",
    scheme: "http",
    host: "reviews.shop.svc.cluster.local:9080",
    path: "/internal/reviews/41/drafts",
    url_path: "/internal/reviews/41/drafts",
    headers: { "x-user": "", "x-group": "automation", "content-length": "7" },
    time: "2026-05-05T00:00:00.000Z",
    size: 7,
    auth: { claims: { sub: "backup", roles: [], scope: "" } },
  },
  connection: { mtls: true },
};

export const BAGS: readonly AttributeBag[] = [SIGNED_IN, ANONYMOUS, UPLOAD, ROBOT, SERVICE_CALL];
