// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { HeaderList } from "../contract/header-list.ts";
import { removeForbiddenTrailers } from "./trailer-fields.ts";

const FORBIDDEN =
  "connection content-length content-type content-encoding expect host http2-settings if-match keep-alive " +
  "proxy-authorization range set-cookie te trailer transfer-encoding upgrade www-authenticate";
const PASSED = "grpc-status grpc-message digest server-timing x-checksum";

describe("trailers", () => {
  it("are all fields but those that a recipient needs before the body", () => {
    const names = [...FORBIDDEN.split(" "), ...PASSED.split(" ")];
    const trailers = new HeaderList(names.flatMap((name) => [name, "1"]));
    removeForbiddenTrailers(trailers);
    assert.deepEqual(
      trailers.flat().filter((_, at) => at % 2 === 0),
      PASSED.split(" "),
    );
  });
});
