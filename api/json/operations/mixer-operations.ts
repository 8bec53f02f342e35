// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import { CONTENT_TYPES } from "../../../core/exposition/formats.ts";
import type { ErrorCode } from "../../../kernel/error-catalog.ts";
import { CHECK_PATH, CheckReplySchema, decodeCheckRequest } from "../check.ts";
import { CONFIG_PATH, HandlerListingSchema, HANDLERS_PATH, MixerStatusSchema } from "../mixer-status.ts";
import { decodePolicyState, POLICY_STATE_PATH, POLICY_STATE_QUERY } from "../policy-state.ts";
import { AllocateReplySchema, decodeAllocateRequest, QUOTA_PATH } from "../quota.ts";
import {
  AUDIT_QUERY,
  decodeAudit,
  decodeAuditEntry,
  decodeBlockCommand,
  decodeCountCommand,
  decodeListing,
  decodeRaiseCommand,
  decodeTop,
  END_QUERY,
  LIST_QUERY,
  QUOTAS_AUDIT_PATH,
  QUOTAS_BLOCK_PATH,
  QUOTAS_PATH,
  QUOTAS_RAISE_PATH,
  QUOTAS_RESET_PATH,
  QUOTAS_TOP_PATH,
  TOP_QUERY,
} from "../quota-operations.ts";
import { REPORT_PATH, ReportMessageSchema } from "../report.ts";
import { readyOperation } from "./health-operations.ts";
import { jsonAnswer, type Operation } from "./operation.ts";

/** Calls of proxies. */

export const CHECK: Operation = {
  id: "check",
  method: "post",
  path: CHECK_PATH,
  summary: "Decide a request and charge its quotas.",
  request: { name: "CheckRequest", schema: decodeCheckRequest.schema },
  answers: { 200: jsonAnswer("CheckReply", CheckReplySchema, "The decision and the quotas' outcomes.") },
  errors: ["PURSER_MIXER_UNAVAILABLE", "PURSER_DRAINING"],
};

export const ALLOCATE: Operation = {
  id: "allocate",
  method: "post",
  path: QUOTA_PATH,
  summary: "Request more of quotas, or give some back.",
  request: { name: "AllocateRequest", schema: decodeAllocateRequest.schema },
  answers: { 200: jsonAnswer("AllocateReply", AllocateReplySchema, "The outcome of each charge.") },
  errors: ["PURSER_MIXER_UNAVAILABLE", "PURSER_DRAINING"],
};

export const REPORT: Operation = {
  id: "report",
  method: "post",
  path: REPORT_PATH,
  summary: "Report finished requests.",
  request: { name: "ReportMessage", schema: ReportMessageSchema },
  answers: { 204: { description: "The report was taken." } },
  errors: ["PURSER_MIXER_UNAVAILABLE", "PURSER_DRAINING"],
};

export const POLL_POLICY_STATE: Operation = {
  id: "pollPolicyState",
  method: "get",
  path: POLICY_STATE_PATH,
  summary: "Wait for other policies than the proxy has: a long poll.",
  query: POLICY_STATE_QUERY,
  answers: {
    200: jsonAnswer("PolicyState", decodePolicyState.schema, "The policies in force."),
    304: { description: "The proxy has the newest." },
  },
  errors: ["PURSER_MIXER_UNAVAILABLE", "PURSER_OVERLOADED", "PURSER_DRAINING"],
};

/** Checks for other gateways. */

const AUTH_ANSWERS: Operation["answers"] = {
  200: { description: "The request may pass." },
  default: { description: "The request is refused, with the status and the header fields for its client." },
};

export const AUTH: Operation = {
  id: "auth",
  method: "all",
  path: "/auth",
  summary: "Decide the request that the header fields X-Original-* or X-Forwarded-* describe.",
  answers: AUTH_ANSWERS,
};

export const AUTH_OF_PATH: Operation = {
  id: "authOfPath",
  method: "all",
  path: "/auth/{*path}",
  summary: "Decide the request that this one is, at the path after /auth.",
  answers: AUTH_ANSWERS,
};

/** Codes of refusals of calls about quotas. */
const QUOTA_ERRORS: readonly ErrorCode[] = [
  "PURSER_NOT_FOUND",
  "PURSER_OVERLOADED",
  "PURSER_STORE_UNAVAILABLE",
  "PURSER_QUOTA_VIEW_UNSUPPORTED",
  "PURSER_MIXER_UNAVAILABLE",
  "PURSER_DRAINING",
];

/** Calls of operators. */

export const GET_READY: Operation = readyOperation("PURSER_MIXER_UNAVAILABLE");

export const GET_METRICS: Operation = {
  id: "getMetrics",
  method: "get",
  path: "/metrics",
  summary: "The mixer's metrics and those of its handlers, in the format that Accept names.",
  access: "metrics",
  answers: {
    200: {
      description: "A page for Prometheus.",
      content: Object.fromEntries(Object.values(CONTENT_TYPES).map((type) => [type, Type.String()])),
    },
  },
};

export const GET_CONFIG: Operation = {
  id: "getConfig",
  method: "get",
  path: CONFIG_PATH,
  summary: "The documents in force, the handlers, and the refusal of newer documents.",
  answers: { 200: jsonAnswer("MixerStatus", MixerStatusSchema, "The mixer's state.") },
};

export const GET_HANDLERS: Operation = {
  id: "getHandlers",
  method: "get",
  path: HANDLERS_PATH,
  summary: "The health and the queues of each handler.",
  answers: { 200: jsonAnswer("HandlerListing", HandlerListingSchema, "The handlers in force.") },
};

export const LIST_QUOTAS: Operation = {
  id: "listQuotas",
  method: "get",
  path: QUOTAS_PATH,
  summary: "The policies in force with their counts, a page at a time.",
  query: LIST_QUERY,
  answers: { 200: jsonAnswer("QuotaListing", decodeListing.schema, "A page.") },
  errors: QUOTA_ERRORS,
};

export const TOP_QUOTAS: Operation = {
  id: "topQuotas",
  method: "get",
  path: QUOTAS_TOP_PATH,
  summary: "The keys with the largest amounts of the last hour.",
  query: TOP_QUERY,
  answers: { 200: jsonAnswer("TopListing", decodeTop.schema, "The keys of each policy.") },
  errors: QUOTA_ERRORS,
};

export const AUDIT_QUOTAS: Operation = {
  id: "auditQuotas",
  method: "get",
  path: QUOTAS_AUDIT_PATH,
  summary: "The changes of counts, the newest first.",
  query: AUDIT_QUERY,
  answers: { 200: jsonAnswer("AuditListing", decodeAudit.schema, "The changes.") },
};

const CHANGED = {
  200: jsonAnswer("AuditEntry", decodeAuditEntry.schema, "The change, as the audit keeps it."),
};

export const RESET_QUOTA: Operation = {
  id: "resetQuota",
  method: "post",
  path: QUOTAS_RESET_PATH,
  summary: "Forget what one count has used.",
  request: { name: "CountCommand", schema: decodeCountCommand.schema },
  answers: CHANGED,
  errors: QUOTA_ERRORS,
};

export const RAISE_QUOTA: Operation = {
  id: "raiseQuota",
  method: "post",
  path: QUOTAS_RAISE_PATH,
  summary: "Raise the limit of one count for a time.",
  request: { name: "RaiseCommand", schema: decodeRaiseCommand.schema },
  answers: CHANGED,
  errors: ["PURSER_QUOTA_ADJUSTMENTS_FULL", ...QUOTA_ERRORS],
};

export const BLOCK_QUOTA: Operation = {
  id: "blockQuota",
  method: "post",
  path: QUOTAS_BLOCK_PATH,
  summary: "Refuse one count for a time.",
  request: { name: "BlockCommand", schema: decodeBlockCommand.schema },
  answers: CHANGED,
  errors: ["PURSER_QUOTA_ADJUSTMENTS_FULL", ...QUOTA_ERRORS],
};

export const END_RAISE: Operation = {
  id: "endRaise",
  method: "delete",
  path: QUOTAS_RAISE_PATH,
  summary: "End the raise of one count.",
  query: END_QUERY,
  answers: CHANGED,
  errors: QUOTA_ERRORS,
};

export const END_BLOCK: Operation = {
  id: "endBlock",
  method: "delete",
  path: QUOTAS_BLOCK_PATH,
  summary: "End the block of one count.",
  query: END_QUERY,
  answers: CHANGED,
  errors: QUOTA_ERRORS,
};
