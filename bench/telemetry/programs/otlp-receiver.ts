// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createServer } from "node:http";

// A receiver of OTLP over HTTP that reads each request and accepts it: an empty body is a valid ExportServiceResponse of
// every signal in protobuf (https://protobuf.dev/programming-guides/encoding/).
const [, , port] = process.argv;

// Mixers keep their connections while they are suspended, for minutes.
createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  request.resume();
  request.on("end", () => response.writeHead(200, { "content-type": "application/x-protobuf" }).end());
}).listen(Number(port), "127.0.0.1");
