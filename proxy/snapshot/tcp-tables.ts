// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TcpListener } from "../../core/traffic/resources/tcp.ts";
import { CompiledTcpTable } from "../../core/traffic/tcp-route.ts";
import { messageOf, PurserError } from "../../kernel/errors.ts";

const compiled = new WeakMap<TcpListener, ReadonlyMap<string, CompiledTcpTable>>();

/**
 * The tables of a listener by name, compiled at the first call.
 *
 * @throws {PurserError} PURSER_INTERNAL for a subnet that cannot be read; pilot sends none.
 */
export function tcpTablesOf(tcp: TcpListener): ReadonlyMap<string, CompiledTcpTable> {
  let tables = compiled.get(tcp);
  if (tables === undefined) {
    try {
      tables = new Map(tcp.tables.map((table) => [table.name, new CompiledTcpTable(table)]));
    } catch (error) {
      throw new PurserError("PURSER_INTERNAL", `a destination subnet ${messageOf(error)}`);
    }
    compiled.set(tcp, tables);
  }
  return tables;
}
