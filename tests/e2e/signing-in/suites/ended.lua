-- Somebody takes the access back on Bitbucket: what was read stays readable, and one button leads back in.

local t = require('harness')
local comments = require('sample')
local journey = require('journey')

t.run(function()
  local before = journey.visits()
  local cart = t.open('till/cart.py')
  journey.comments_are_there(cart)
  vim.cmd.buffer(cart)
  -- A token that is refused within half a minute of being granted is no sign of an end yet.
  vim.wait(tonumber(vim.env.E2E_OLD_ENOUGH) * 1000 - os.time() * 1000)
  local asked = journey.answer(nil)
  t.bitbucket('oauth/revoke', { user = 'ana' })
  t.bitbucket('comments', { file = 'tests/test_cart.py', author = 'cleo', on = 'cart = Cart()', text = 'An empty cart first?' })
  vim.cmd.Bitbucket('refresh')
  t.has('it is said that the login has ended', 'Your Bitbucket login has ended.', function()
    return vim.inspect(asked)
  end)
  t.equal('by one question with one button', { { 'Sign In' } }, function()
    return vim.tbl_map(function(one)
      return one.choices
    end, asked)
  end)
  t.equal('the comments stay', { comments['till/cart.py'], 7 }, function()
    return { t.comments(cart), #vim.diagnostic.get(nil) }
  end)
  t.has('and can be read', 'Does the order matter?', function()
    return t.hover(35)
  end)
  t.shows('the status says why nothing new comes', 'status', 'Your Bitbucket login has ended.')
  vim.cmd.buffer(cart)
  t.equal('no browser was opened', before, journey.visits)

  vim.env.E2E_BROWSER = 'grant'
  asked = journey.answer(1)
  vim.cmd.Bitbucket('refresh')
  journey.ended(before + 1, 'Signed in', 'Ana Ruiz')
  t.equal('it was asked once more', 1, function()
    return #asked
  end)
  t.said('the button signs in again', 'Signed in to Bitbucket as Ana Ruiz')
  t.equal('and what is new on Bitbucket is there', 8, function()
    return #vim.diagnostic.get(nil)
  end)
  t.stop()
end)
