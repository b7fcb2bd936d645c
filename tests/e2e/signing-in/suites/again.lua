-- The next day: Neovim is started again.

local t = require('harness')
local journey = require('journey')

t.run(function()
  local before = journey.visits()
  journey.comments_are_there(t.open('till/cart.py'))
  t.equal('no browser was opened', before, journey.visits)
  t.equal('and nobody had to be told anything', {}, function()
    return t.messages
  end)
  t.stop()
end)
