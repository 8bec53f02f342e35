// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Contender } from "./contender.ts";
import { envoy, envoyWithAuthorization } from "./envoy.ts";
import { haproxy } from "./haproxy.ts";
import { nginx, nginxWithAuthRequest } from "./nginx.ts";
import { bareForwarder, fastProxy, httpProxy } from "./node-peers.ts";
import { purserBare, purserFull, purserTwoWorkers } from "./purser.ts";

/** The upstream without any proxy: the limit of the load generator. */
const direct: Contender = {
  name: "direct",
  summary: "the upstream without a proxy: the limit of the load generator",
  prepare: (site) => Promise.resolve({ version: "", port: site.upstreamPort, command: [] }),
};

export const CONTENDERS: readonly Contender[] = [
  direct,
  nginx,
  haproxy,
  envoy,
  httpProxy,
  fastProxy,
  bareForwarder,
  nginxWithAuthRequest,
  envoyWithAuthorization,
  purserBare,
  purserFull,
  purserTwoWorkers,
];
