// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import Type from "typebox";
import { redactSecrets, SecretField } from "./secrets.ts";

const password = SecretField({ description: "The backend's password." });

describe("redactSecrets", () => {
  it("hides the values that the schema marks, at any depth, and no others", () => {
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

  it("hides a value that any alternative of a union marks, whatever its type", () => {
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
