// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { deny } from "../../plugins/deny/index.ts";
import { list } from "../../plugins/list/index.ts";
import { stdout } from "../../adapters/stdout/index.ts";
import { createInventory } from "./inventory.ts";

describe("createInventory", () => {
  it("keeps adapters and plugins by name", () => {
    const { adapters, plugins } = createInventory([deny, stdout, list]);
    assert.deepEqual([...adapters.keys()], ["stdout"]);
    assert.deepEqual([...plugins.keys()], ["deny", "list"]);
  });

  it("refuses two adapters, or two plugins, with the same name", () => {
    assert.throws(() => createInventory([deny, { ...list, name: "deny" }]), /two plugins named "deny"/);
  });

  it("accepts an adapter and a plugin with the same name, which documents distinguish", () => {
    const { adapters, plugins } = createInventory([{ ...stdout, name: "deny" }, deny]);
    assert.ok(adapters.has("deny") && plugins.has("deny"));
  });
});
