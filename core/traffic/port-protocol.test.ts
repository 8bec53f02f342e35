// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { httpProtocolOf } from "./port-protocol.ts";

describe("the protocol of a Service's port", () => {
  it("is Istio's", () => {
    const table = [
      [{ port: 80 }, "http1"],
      [{ port: 80, name: "http" }, "http1"],
      [{ port: 80, name: "HTTP-web" }, "http1"],
      [{ port: 80, name: "http2-x" }, "http2"],
      [{ port: 80, name: "grpc" }, "http2"],
      [{ port: 80, name: "grpc-web-x" }, "grpc-web"],
      [{ port: 80, name: "grpc-website" }, "http2"],
      [{ port: 80, name: "web" }, "http1"],
      [{ port: 80, name: "httpbin" }, "http1"],
      [{ port: 443, name: "https" }, undefined],
      [{ port: 80, name: "tcp-x" }, undefined],
      [{ port: 27017, name: "mongo" }, undefined],
      [{ port: 3306 }, undefined],
      [{ port: 3306, name: "http" }, "http1"],
      [{ port: 53, protocol: "UDP" }, undefined],
      [{ port: 80, name: "http", protocol: "UDP" }, undefined],
      [{ port: 80, name: "http", protocol: "tcp" }, "http1"],
      [{ port: 80, name: "http", appProtocol: "grpc" }, "http2"],
      [{ port: 80, name: "grpc", appProtocol: "kubernetes.io/ws" }, "http1"],
      [{ port: 80, appProtocol: "kubernetes.io/h2c" }, "http2"],
      [{ port: 80, name: "http", appProtocol: "kubernetes.io/wss" }, undefined],
      [{ port: 80, name: "grpc", appProtocol: "example.com/own" }, "http2"],
    ] as const;
    for (const [port, protocol] of table) assert.equal(httpProtocolOf(port), protocol, JSON.stringify(port));
  });
});
