-- There is no OAuth consumer. A document says how to sign in, and its button leads to a page to type a token into.

local t = require('harness')
local journey = require('journey')

t.run(function()
  local cart = journey.signed_out()
  local email = vim.env.E2E_API_EMAIL
  vim.env.E2E_TYPED = vim.json.encode({ { email, 'e2e-wrong-c4n4ryT0k3n' }, { email, vim.env.E2E_API_TOKEN } })
  local asked = journey.answer(1)
  journey.login('type')
  t.has('a document says how to sign in', '# Bitbucket: how to sign in', t.text)
  t.check('which is read-only', function()
    return vim.bo.readonly and not vim.bo.modifiable
  end)
  t.equal('and one button is offered', { { 'Add Token' } }, function()
    return vim.tbl_map(function(one)
      return one.choices
    end, asked)
  end)
  local report = journey.report(1)
  t.equal('it opens a page for a token', 'Add a Bitbucket token', function()
    return report.asked and report.asked.title or report.problem
  end)
  local tried = report.tried or {}
  t.has('where a wrong token can be corrected', 'did not accept', function()
    return tried[1] and tried[1].text or ''
  end)
  t.has('the right one is taken', 'You are signed in as Ana Ruiz', function()
    return tried[2] and tried[2].text or ''
  end)
  t.said('a message says as whom', 'Signed in to Bitbucket as Ana Ruiz; kept in the keyring; scopes read:user:bitbucket')
  journey.comments_are_there(cart)
  t.stop()
end)
