// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { IdentityStatus, RevocationChange, SignerState } from "../../api/identity-service.ts";
import { visible } from "../terminal.ts";

const STEPS: Readonly<Record<SignerState, string>> = {
  announced: "announced: proxies are told to trust its root",
  signing: "signing",
  retiring: "retiring: its certificates are still in use",
};

/** The status of an identity service, for people. */
export function statusText(status: IdentityStatus): string {
  const { trustDomain, signers, liveCertificates, openTokens, revokedIds } = status;
  const lines = [
    `trust domain        ${visible(trustDomain)}`,
    `live certificates   ${liveCertificates}`,
    `unused join tokens  ${openTokens}`,
    ...signers.flatMap(({ id, state, since, notAfter, waitingFor }) => [
      `signer ${visible(id)}`,
      `  ${STEPS[state]}, since ${visible(since)}; ends ${visible(notAfter)}`,
      ...(state === "signing"
        ? []
        : [`  waits for ${waitingFor} ${waitingFor === 1 ? "certificate" : "certificates"}`]),
    ]),
    ...revokedIds.map((id) => `revoked ${visible(id)}`),
  ];
  return `${lines.join("\n")}\n`;
}

/** One sentence about a revocation or its end. */
export function revocationText(what: "revoke" | "restore", change: RevocationChange): string {
  const { spiffeId, changed, certificates } = change;
  const id = visible(spiffeId);
  if (what === "restore")
    return changed
      ? `${id} may join again, with a new token. Its earlier certificates stay revoked.\n`
      : `${id} was not revoked.\n`;
  const refused = `${certificates} live ${certificates === 1 ? "certificate is" : "certificates are"} refused`;
  return changed ? `${id} is revoked: ${refused}.\n` : `${id} was revoked already: ${refused}.\n`;
}
