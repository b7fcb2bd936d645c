-- Somebody closes the browser without a decision, and begins anew.

local t = require('harness')
local journey = require('journey')

t.run(function()
  local cart = journey.signed_out()
  journey.login('close')
  local report = journey.report(1)
  t.equal('the browser was closed', { 'close', false }, function()
    return { report.decision, report.ended or false }
  end)
  journey.login('grant')
  journey.ended(2, 'Signed in', 'Ana Ruiz')
  journey.comments_are_there(cart)
  t.stop()
end)
