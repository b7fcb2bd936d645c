-- The browser runs on another computer: the address that it ends at is carried over by hand.

local t = require('harness')
local journey = require('journey')

t.run(function()
  local cart = journey.signed_out()
  journey.login('elsewhere')
  local address = journey.address(1)
  vim.ui.input = function(_, answer)
    answer('https://bitbucket.org/somewhere/else')
  end
  vim.cmd.Bitbucket('paste')
  t.said('an address that is none is not taken', 'This is not the address')
  vim.ui.input = function(_, answer)
    answer(address)
  end
  vim.cmd.Bitbucket('paste')
  t.said('the address is', 'Signed in to Bitbucket as Ana Ruiz')
  journey.comments_are_there(cart)

  vim.cmd.buffer(cart)
  local asked = journey.answer(1)
  vim.cmd.Bitbucket('logout')
  t.said('one signs out', 'Signed out Ana Ruiz')
  t.equal('after it was asked whom', { { 'Ana Ruiz' } }, function()
    return vim.tbl_map(function(one)
      return one.choices
    end, asked)
  end)
  t.equal('the comments are gone', 0, function()
    return #vim.diagnostic.get(nil)
  end)

  t.messages = {}
  journey.login('elsewhere')
  address = journey.address(2)
  vim.ui.input = function(_, answer)
    answer('')
  end
  vim.cmd.Bitbucket('paste')
  t.has('with no address a document is opened', '# Bitbucket: finish the sign-in', t.text)
  t.check('that can be written in', function()
    return vim.bo.modifiable and not vim.bo.readonly
  end)
  local paste = vim.api.nvim_replace_termcodes('Go' .. address .. '<Esc>', true, false, true)
  vim.api.nvim_feedkeys(paste, 'xt', false)
  t.said('what is pasted is taken at once', 'Signed in to Bitbucket as Ana Ruiz')
  t.check('nothing has to be saved', function()
    return not vim.bo.modified
  end)
  journey.comments_are_there(cart)
  t.stop()
end)
