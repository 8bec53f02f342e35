// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type BackendScript, describeAdapterContract } from "../../plugins/sdk/testing/index.ts";
import { stackdriver } from "./index.ts";

const refusing = (httpStatus: string, status: string): BackendScript => {
  const body = JSON.stringify({ error: { code: 0, message: "no", status } });
  const head = `HTTP/1.1 ${httpStatus}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
  return (socket) =>
    void socket.once("data", () => socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`));
};

describeAdapterContract(stackdriver, {
  backend: {
    config: ({ host, port }) => {
      const url = `http://${host}:${port}`;
      return {
        project: "demo",
        credentials: "none",
        endpoints: { monitoring: url, logging: url, trace: url },
        timeout: "300ms",
        closeTimeout: "300ms",
      };
    },
    retryable: refusing("429 Too Many Requests", "RESOURCE_EXHAUSTED"),
    permanent: refusing("403 Forbidden", "PERMISSION_DENIED"),
    kept: ["metric"],
  },
});
