-- Somebody closes the browser without a decision, gives it up, and begins anew.

local t = require('harness')
local journey = require('journey')

t.run(function()
  local cart = journey.signed_out()
  journey.login('close')
  local report = journey.report(1)
  t.equal('the browser was closed', { 'close', false }, function()
    return { report.decision, report.ended or false }
  end)
  vim.cmd.Bitbucket('cancel')
  t.said('what waits for it can be given up', 'The sign-in was given up; nothing was stored.')
  vim.cmd.Bitbucket('cancel')
  t.said('once', 'No sign-in is waiting for the browser.')
  journey.login('grant')
  journey.ended(2, 'Signed in', 'Ana Ruiz')
  journey.comments_are_there(cart)
  t.stop()
end)
