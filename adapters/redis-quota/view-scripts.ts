// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { MAX_ADJUSTMENTS } from "../../plugins/sdk/index.ts";
import { createScript } from "./lua-script.ts";

/**
 * One step of a scan. SCAN runs within a script, because a script is sent to the node of its key: in a cluster every count of a shard is on
 * that node. KEYS: any key with the shard's hash tag. ARGV: SCAN's cursor, pattern and COUNT. Reply: the next cursor and the names.
 */
export const SCAN_STEP = createScript(`
return redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
`);

/**
 * Reads and changes the adjustments, which are the fields of one hash: the name of a field is the adjustment's kind and count, its value the
 * time at which it ends on the server's clock, and the rest as JSON. Fields that have ended are deleted; the hash lives for a second longer
 * than its last field.
 *
 * KEYS: the hash. ARGV: `all`; `put`, the field, how long it lasts in milliseconds, and the rest; or `remove` and the field.
 * Reply: what was done (1, 0 for a field that was absent, or -1 for a hash that is full); then for each field its name, the time left in
 * milliseconds and the rest.
 */
export const ADJUST = createScript(`
local key, action, named = KEYS[1], ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fields = redis.call('HGETALL', key)
local live, order, count = {}, {}, 0
for i = 1, #fields, 2 do
  local ends, rest = string.match(fields[i + 1], '^(%d+) (.*)$')
  if ends and tonumber(ends) > now then
    live[fields[i]] = { ends = tonumber(ends), rest = rest }
    order[#order + 1] = fields[i]
    count = count + 1
  else
    redis.call('HDEL', key, fields[i])
  end
end
local done = 1
if action == 'put' then
  if not live[named] and count >= ${MAX_ADJUSTMENTS} then
    done = -1
  else
    if not live[named] then order[#order + 1] = named end
    live[named] = { ends = now + tonumber(ARGV[3]), rest = ARGV[4] }
    redis.call('HSET', key, named, string.format('%d %s', live[named].ends, ARGV[4]))
  end
elseif action == 'remove' then
  done = redis.call('HDEL', key, named)
  live[named] = nil
end
local reply, last = { done }, 0
for i = 1, #order do
  local field = live[order[i]]
  if field then
    last = math.max(last, field.ends)
    reply[#reply + 1] = order[i]
    reply[#reply + 1] = field.ends - now
    reply[#reply + 1] = field.rest
  end
end
if last > 0 and action ~= 'all' then redis.call('PEXPIRE', key, last - now + 1000) end
return reply
`);

/** Deletes a count. KEYS: its key. Reply: the number of deleted keys. */
export const FORGET = createScript("return redis.call('DEL', KEYS[1])");
