#!lua flags=allow-oom
-- Settle one job and, if wanted, claim and start the lane's next one: one call a job under backlog.
-- KEYS[1] prefix; ARGV 1 job_key, 2 fence, 3 outcome, 4 lane of the next or "", 5 token, 6 lease ms, 7 repeat of a lost answer
-- ("1"), 8.. the outcome's arguments (settling.lua). Returns {settled} or {settled, job_key, fence, record, verdict, ms, attempts}.
local account = require 'account'
local claims = require 'claims'
local places = require 'places'
local records = require 'records'
local settling = require 'settling'
local starting = require 'starting'
local LARGE = 8192
local args = {}
for i = 8, #ARGV do args[#args + 1] = ARGV[i] end
local settled = settling.one(ARGV[1], tonumber(ARGV[2]), ARGV[3], args)
-- A call that found nothing to settle claims no job: if Redis runs it after its repeat, nobody would know of that job.
local mine = settled == 'ok' or ARGV[7] == '1'
if not mine or ARGV[4] == '' or account.paused_until() > now or account.state().breaker == 'open' then return {settled} end
for _ = 1, 4 do
  local job_key, fence = claims.next(ARGV[4], ARGV[5], tonumber(ARGV[6]), ARGV[7] == '1')
  if not job_key then return {settled} end
  local raw = redis.call('GET', P .. 'j:' .. job_key)
  local attempts, crashes = places.tries(job_key)
  -- A payload that is large, or that a worker had when it ended, is checked before the job is started: if the check ends this
  -- worker, nothing was sent.
  local first = (crashes > 0 or #(raw or '') > LARGE) and records.header(raw)
  local verdict = first and {'check', 0} or starting.one(job_key, fence, raw, tonumber(ARGV[6]))
  if verdict[1] == 'go' or verdict[1] == 'wait' or first then
    return {settled, job_key, fence, raw, verdict[1], verdict[2], attempts}
  end
end
return {settled}
