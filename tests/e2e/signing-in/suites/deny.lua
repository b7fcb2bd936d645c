-- Somebody presses Deny. They are told, nothing else happens, and they may still change their mind.

local t = require('harness')
local journey = require('journey')

t.run(function()
  journey.signed_out()
  journey.login('deny')
  journey.ended(1, 'Not signed in', 'denied')
  t.said('a message says that access was denied', 'denied')
  t.equal('there are no comments', 0, function()
    return #vim.diagnostic.get(nil)
  end)
  t.stop()
end)
