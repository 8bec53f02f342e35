// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Agent, createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";

/** As far as the bench uses the package, which has no types of its own. */
interface HttpProxy {
  web(request: IncomingMessage, response: ServerResponse): void;
  on(
    event: "error",
    listener: (error: Error, request: IncomingMessage, response: ServerResponse) => void,
  ): void;
}

const [, , folder = "", port, upstreamPort] = process.argv;
const httpProxy = createRequire(`${folder}/package.json`)("http-proxy") as {
  createProxyServer(options: object): HttpProxy;
};
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${upstreamPort}`,
  agent: new Agent({ keepAlive: true, maxSockets: 1024 }),
});
proxy.on("error", (_error, _request, response) => {
  response.writeHead(502);
  response.end();
});
createServer({ keepAliveTimeout: 600_000 }, (request, response) => proxy.web(request, response)).listen(
  Number(port),
  "127.0.0.1",
);
