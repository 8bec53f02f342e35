// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createServer } from "node:http";

// The trivial authorization service: every request is allowed, and nothing of it is read.
const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  request.resume();
  response.writeHead(200, { "content-length": 0 });
  response.end();
});
server.listen(Number(process.argv[2]), "127.0.0.1");
