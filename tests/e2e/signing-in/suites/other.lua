-- A second Neovim, open before anybody signed in: it does nothing but wait.

local t = require('harness')
local journey = require('journey')

t.run(function()
  local cart = journey.signed_out()
  local server = t.server_pid()
  -- From here on somebody signs in elsewhere.
  vim.fn.writefile({}, vim.env.E2E_READY)
  t.patience = 120000
  t.check('somebody signs in elsewhere, and it is seen here', function()
    return #vim.diagnostic.get(nil) > 0, t.messages
  end)
  t.patience = 15000
  journey.comments_are_there(cart)
  t.equal('the server was not started again', server, t.server_pid)
  t.stop()
end)
