// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { keyOfSecret, signatureOf } from "./signature.ts";

describe("the signature of a webhook", () => {
  it("is that of the published example of Standard Webhooks", () => {
    const key = keyOfSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") ?? assert.fail("no key");
    const id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    assert.equal(
      signatureOf([key], id, 1_614_265_330, '{"test": 2432232314}'),
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    );
  });

  it("takes keys of 24 to 64 bytes, with and without padding", () => {
    const secret = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString("base64")}`;
    assert.equal(keyOfSecret(secret(23)), undefined);
    assert.equal(keyOfSecret(secret(24))?.length, 24);
    assert.equal(keyOfSecret(secret(64))?.length, 64);
    assert.equal(keyOfSecret(secret(64).replaceAll("=", ""))?.length, 64);
    assert.equal(keyOfSecret(secret(65)), undefined);
  });
});
