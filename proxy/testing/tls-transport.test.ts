// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";

import type { TlsServer, UpstreamTls } from "../../core/traffic/resources/tls.ts";
import { DEFAULT_CIPHER_SUITES } from "../../core/traffic/resources/tls.ts";
import { type Certificate, createAuthority } from "../../test/support/certificates.ts";
import type { ClientSettings, TransportClient } from "../transport/contract/client.ts";
import type { ServerHandler, ServerSettings, TransportServer } from "../transport/contract/server.ts";
import type { TlsServices } from "../transport/contract/tls.ts";
import type { RawDialer } from "../transport/contract/raw.ts";
import type { Transport } from "../transport/contract/transport.ts";
import { HTTP_TRANSPORT } from "../transport/http-transport.ts";
import { CredentialStore } from "../transport/tls/credentials/credential-store.ts";
import { TicketKeys } from "../transport/tls/ticket-keys.ts";

/**
 * HTTP/1.1 over TLS in both directions, for suites whose clients and upstreams speak plain text: a tunnel before each
 * listener encrypts, and a tunnel before each endpoint decrypts.
 */
export class TlsTransport implements Transport {
  readonly name = "http/1.1 over TLS";
  #certificate: Certificate | undefined;
  #services: TlsServices | undefined;

  /** Makes the certificates. Call with mocha's `this`, which is skipped without openssl. */
  prepare(context: Mocha.Context): () => void {
    const authority = createAuthority(context);
    const certificate = authority.sign("tunnel");
    const texts = new Map([
      ["ca", authority.cert],
      ["cert", certificate.cert],
      ["key", certificate.key],
    ]);
    this.#certificate = certificate;
    this.#services = tlsServicesOf(texts);
    return () => authority.remove();
  }

  createServer(settings: ServerSettings, handler: ServerHandler): TransportServer {
    const tls = this.#services ?? settings.tls;
    const server = HTTP_TRANSPORT.createServer({ ...settings, tls, tlsServers: [SERVER] }, handler);
    const tunnel = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const raw = connect({ host: "127.0.0.1", port: server.port ?? 0, allowHalfOpen: true, noDelay: true });
      raw.on("error", () => {});
      joinSockets(socket, connectTls({ socket: raw, rejectUnauthorized: false }), raw);
    });
    let port: number | undefined;
    return {
      get port() {
        return port;
      },
      async listen(host, wanted) {
        await server.listen(host, 0);
        await new Promise<void>((resolve, reject) => {
          tunnel.on("error", reject);
          tunnel.listen(wanted, host, resolve);
        });
        port = (tunnel.address() as AddressInfo).port;
      },
      setLimits: (limits) => server.setLimits(limits),
      setTlsServers: () => {},
      setProxyProtocol: () => {},
      acceptWaiting: (limitMs) => server.acceptWaiting(limitMs),
      async close(deadlineMs) {
        port = undefined;
        tunnel.close();
        await server.close(deadlineMs);
      },
      cut: () => server.cut(),
    };
  }

  createDialer(settings: ClientSettings): RawDialer {
    return HTTP_TRANSPORT.createDialer(settings);
  }

  createClient(settings: ClientSettings): TransportClient {
    const { host, port } = settings;
    const tunnel = createServer({ allowHalfOpen: true, noDelay: true }, (raw) => {
      raw.on("error", () => {});
      // The handshake waits for the endpoint: without it, the proxy gets no connection.
      const plain = connect({ host, port, allowHalfOpen: true, noDelay: true });
      const refuse = (): unknown => raw.destroy();
      plain.once("error", refuse);
      plain.once("connect", () => {
        plain.off("error", refuse);
        plain.on("error", () => {});
        terminator.emit("connection", raw);
      });
      pairs.set(`${raw.remotePort}`, { plain, raw });
      raw.once("close", () => plain.destroy());
    });
    const pairs = new Map<string, { readonly plain: Socket; readonly raw: Socket }>();
    const { cert, key } = this.#certificate ?? {};
    const terminator = createTlsServer({ cert, key, ALPNProtocols: ["http/1.1"] }, (secure) => {
      const pair = pairs.get(`${secure.remotePort}`);
      if (pair === undefined || pair.plain.destroyed) secure.destroy();
      else joinSockets(pair.plain, secure, pair.raw);
    });
    // Without a host, Node listens before it returns.
    tunnel.listen(0);
    const address = tunnel.address() as AddressInfo;
    const credentials = this.#services?.credentials ?? settings.credentials;
    const client = HTTP_TRANSPORT.createClient({
      ...settings,
      host: "127.0.0.1",
      port: address.port,
      tls: UPSTREAM,
      credentials,
    });
    return {
      open: (head, receiver, body) => client.open(head, receiver, body),
      get stats() {
        return client.stats;
      },
      async close() {
        await client.close();
        tunnel.close();
      },
      async destroy() {
        await client.destroy();
        tunnel.close();
      },
    };
  }
}

const SERVER: TlsServer = {
  name: "all",
  serverNames: ["*"],
  // The suites' listeners have this table.
  routeTable: "main",
  mode: "simple",
  credential: { certificateFile: "cert", privateKeyFile: "key" },
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.3",
  cipherSuites: DEFAULT_CIPHER_SUITES,
};

const UPSTREAM: UpstreamTls = {
  credential: { authoritiesFile: "ca" },
  serverName: "localhost",
  subjectAltNames: [],
  skipsVerification: false,
};

/** Services whose files are the given texts, by path. */
function tlsServicesOf(texts: ReadonlyMap<string, string>): TlsServices {
  const clock = { nowMs: () => Date.now() };
  const nothing = (): void => {};
  const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => logger };
  const credentials = new CredentialStore({
    files: {
      watch(path, listener) {
        listener(texts.get(path) ?? "");
        return nothing;
      },
    },
    folder: undefined,
    systemAuthorities: undefined,
    clock,
    scheduler: { after: () => nothing, every: () => nothing },
    logger,
    onRead: nothing,
  });
  return { credentials, tickets: new TicketKeys(clock) };
}

/**
 * Carries bytes, ends and resets between a plain and a secure socket.
 *
 * @param raw The socket below `secure`.
 */
function joinSockets(plain: Socket, secure: Socket, raw: Socket): void {
  const carry = (from: Socket, to: Socket, reset: () => void): void => {
    from.on("data", (chunk) => {
      if (!to.write(chunk)) from.pause();
    });
    to.on("drain", () => from.resume());
    // A socket that has no reader yet emits its end when it has nothing else to read.
    if (from.readableEnded) to.end();
    else from.on("end", () => to.end());
    from.on("error", reset);
    from.on("close", () => to.destroy());
  };
  carry(plain, secure, () => raw.resetAndDestroy());
  carry(secure, plain, () => plain.resetAndDestroy());
}
