-- Somebody who never signed in does, and reads on without a restart.

local t = require('harness')
local journey = require('journey')

t.run(function()
  local cart = journey.signed_out()
  t.equal('no browser opens by itself', 0, journey.visits)
  local server = t.server_pid()
  journey.login('grant')
  journey.ended(1, 'Signed in', 'Ana Ruiz')
  t.said('a message says as whom', 'Signed in to Bitbucket as Ana Ruiz')
  journey.comments_are_there(cart)
  t.equal('the server was not started again', server, t.server_pid)
  t.equal('one visit was enough', 1, journey.visits)
  t.stop()
end)
