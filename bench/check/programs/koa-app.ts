// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import Koa from "koa";

// The peer of `POST /v1/check`: a Koa application that reads a JSON body, parses it, and answers JSON of the form of the
// mixer's reply. It checks nothing and decides nothing.
const [, , port, replyFile = ""] = process.argv;
const reply = JSON.parse(readFileSync(replyFile, "utf8")) as object;

const app = new Koa();
app.use(async (context) => {
  if (context.method === "GET") {
    context.body = "ok\n";
    return;
  }
  const text = await new Promise<string>((resolve, reject) => {
    const pieces: Buffer[] = [];
    context.req.on("data", (piece: Buffer) => pieces.push(piece));
    context.req.on("end", () => resolve(Buffer.concat(pieces).toString()));
    context.req.on("error", reject);
  });
  const { deduplicationId } = JSON.parse(text) as { readonly deduplicationId: string };
  context.body = { ...reply, deduplicationId };
});
app.listen(Number(port), "127.0.0.1");
