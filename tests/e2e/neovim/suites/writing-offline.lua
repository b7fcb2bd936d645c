-- The network goes while somebody sends a draft: the text stays, and goes out later, by hand and once.

local t = require('harness')
local w = require('writing')

-- Whether a text arrived is looked for three times over half a minute.
local to_find_out = 45000

w.run(function()
  local file = w.review('till/discounts.py', { 1, 13, 15, 24 })
  w.go_to('percent: int')
  local draft = w.opens_draft('a reply', function()
    w.command('reply')
  end, 'Reply to')
  w.type('Written on a train')
  local path = vim.api.nvim_buf_get_name(0)
  t.bitbucket('faults', { fault = 'offline' })
  w.command('send')
  t.equal('while that is found out, the draft says so', { '1: Being sent …' }, t.lenses)
  t.patience = to_find_out
  t.said('offline: it is said that nobody knows', 'It is not known whether your reply reached Bitbucket.')
  t.patience = 15000
  t.said('and that the text is kept', 'It is kept as a draft')
  t.equal('it is, on the screen', { draft, 'Written on a train' }, function()
    return { vim.api.nvim_get_current_buf(), w.body() }
  end)
  t.check('and on the disk', function()
    return vim.uv.fs_stat(path)
  end)
  t.has('the draft says what is wrong with it', 'cannot be reached', function()
    return table.concat(t.comments(draft), '\n')
  end)
  t.equal('and what can be done', { '1: Find out whether it was sent', '1: Discard' }, t.lenses)
  t.check('the code does not pretend that it is there', function()
    vim.cmd.buffer(file)
    local hover = t.hover(13)
    return not hover:find('Written on a train', 1, true), hover
  end)

  t.bitbucket('faults/clear')
  w.wrote('with the network back, nothing is sent by itself', {})
  vim.cmd.buffer(draft)
  w.pick('Send it again')
  t.patience = to_find_out
  w.send('sent again by hand, the draft is gone')
  t.patience = 15000
  w.was_asked('after it was looked for, and asked about', 'It was looked for and not found.')
  w.wrote('Bitbucket has it once', { 'Written on a train' })
  vim.cmd.buffer(file)
  t.has('and so has the code', 'Written on a train', function()
    return t.hover(13)
  end)
  t.stop()
end)
