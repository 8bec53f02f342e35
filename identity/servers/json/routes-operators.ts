// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash, timingSafeEqual } from "node:crypto";
import type Router from "@koa/router";
import type { Context } from "koa";
import {
  decodeRevokeCommand,
  decodeTokenCommand,
  RESTORE_PATH,
  REVOKE_PATH,
  ROTATE_PATH,
  STATUS_PATH,
  TOKENS_PATH,
} from "../../../api/json/identity.ts";
import { PurserError } from "../../../kernel/errors.ts";
import type { BodyReader } from "../../../server/http/json/body-reader.ts";
import { readJson } from "../../../server/http/json/read-json.ts";
import type { Identity } from "../../identity.ts";

export interface OperatorRoutes {
  readonly identity: Identity;
  /** The operator's key: every call needs it as a bearer token (RFC 6750). */
  readonly key: string;
  readonly bodies: BodyReader;
}

/** The calls of operators. */
export function addOperatorRoutes(
  router: Router,
  { identity: { operations }, key, bodies }: OperatorRoutes,
): void {
  const expected = hashOf(`Bearer ${key}`);
  const authorize = ({ headers }: Context): void => {
    // Hashes have one length, and comparing them takes one time.
    if (timingSafeEqual(hashOf(headers.authorization ?? ""), expected)) return;
    throw new PurserError("PURSER_IDENTITY_UNAUTHENTICATED", "the operator's key is missing or wrong");
  };
  const post = (path: string, call: (body: unknown) => Promise<unknown>): void => {
    router.post(path, async (context) => {
      authorize(context);
      context.body = await call(await readJson(context, bodies));
    });
  };
  post(TOKENS_PATH, (body) => operations.createToken(decodeTokenCommand(body)));
  post(REVOKE_PATH, (body) => operations.revoke(decodeRevokeCommand(body)));
  post(RESTORE_PATH, (body) => operations.restore(decodeRevokeCommand(body)));
  post(ROTATE_PATH, () => operations.rotateRoot());
  router.get(STATUS_PATH, (context) => {
    authorize(context);
    context.body = operations.status();
  });
}

function hashOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
