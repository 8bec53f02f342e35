// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import Type from "typebox";
import { redactSecrets, SecretField } from "./secrets.ts";

const password = SecretField({ description: "The backend's password." });

describe("redactSecrets", () => {
  it("hides what the schema marks, wherever it stands, and nothing else", () => {
    const schema = Type.Object({
      url: Type.String(),
      password,
      tls: Type.Object({ key: Type.Optional(password), ca: Type.String() }),
      servers: Type.Array(Type.Object({ host: Type.String(), password })),
      tokens: Type.Record(Type.String(), password),
    });
    const value = {
      url: "redis://127.0.0.1",
      password: "hunter2",
      tls: { key: "k", ca: "c" },
      servers: [{ host: "a", password: "x" }],
      tokens: { one: "1" },
    };
    assert.deepEqual(redactSecrets(schema, value), {
      url: "redis://127.0.0.1",
      password: "[redacted]",
      tls: { key: "[redacted]", ca: "c" },
      servers: [{ host: "a", password: "[redacted]" }],
      tokens: { one: "[redacted]" },
    });
    assert.equal(value.password, "hunter2");
  });

  it("hides what any alternative of a union calls a secret, whatever its type is", () => {
    const schema = Type.Object({
      auth: Type.Union([
        Type.Object({ token: password }),
        Type.Object({ token: Type.String(), user: Type.String() }),
      ]),
    });
    assert.deepEqual(redactSecrets(schema, { auth: { token: "t", user: "u" } }), {
      auth: { token: "[redacted]", user: "u" },
    });
    assert.deepEqual(redactSecrets(Type.Object({ auth: password }), { auth: { not: "text" } }), {
      auth: "[redacted]",
    });
  });

  it("leaves an absent secret absent", () => {
    assert.deepEqual(redactSecrets(Type.Object({ password: Type.Optional(password) }), {}), {});
  });
});
