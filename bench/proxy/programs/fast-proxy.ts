// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";

type Forward = (
  request: IncomingMessage,
  response: ServerResponse,
  url: string | undefined,
  options: object,
) => void;

const [, , folder = "", port, upstreamPort] = process.argv;
const fastProxy = createRequire(`${folder}/package.json`)("fast-proxy") as (options: object) => {
  readonly proxy: Forward;
};
// undici is the faster of the package's two clients, by its own documentation and here.
const { proxy } = fastProxy({
  base: `http://127.0.0.1:${upstreamPort}`,
  undici: { connections: 128, pipelining: 1 },
});
createServer({ keepAliveTimeout: 600_000 }, (request, response) =>
  proxy(request, response, request.url, {}),
).listen(Number(port), "127.0.0.1");
