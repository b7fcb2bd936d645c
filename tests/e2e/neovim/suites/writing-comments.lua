-- Somebody comments herself: on lines under unsaved edits, on what was removed, on a file, on the pull request.

local t = require('harness')
local w = require('writing')

---The latest comment, as what it says and where it stands; nil unless there are so many new ones.
local function latest(n)
  local all = w.written()
  local comment = #all == n and all[n]
  local at = comment and comment.inline or {}
  return comment
    and { raw = comment.raw, path = at.path, from = at.from, to = at.to, start_from = at.start_from, start_to = at.start_to }
end

local function on_a_selection(file)
  w.press('ggOimport enum<CR>import math<CR><Esc>')
  t.equal('three lines are typed above, and not saved', { 38 }, function()
    return t.lines(file)
  end)
  w.go_to('def subtotal(self)')
  t.equal('a method is further down now', 'cart.py:30', t.here)
  w.opens_draft('a comment on a selection opens a draft', function()
    w.press('Vj:Bitbucket comment<CR>')
  end, 'New comment on `till/cart.py`, lines 27–28')
  t.has('with the code that it is about', '    def subtotal(self) -> Money:\n        result = Money(0)', t.text)
  w.type('Is `sum` too slow here?')
  w.send('sent, the draft is gone')
  t.equal('Bitbucket has it on the lines as the pull request has them', {
    raw = 'Is `sum` too slow here?',
    path = 'till/cart.py',
    start_to = 27,
    to = 28,
  }, function()
    return latest(1)
  end)
  t.equal('Neovim shows it where they are here', { 30, 38 }, function()
    return t.lines(file)
  end)
  t.equal('word by word', '30: You: Is sum too slow here? · moved from lines 27–28', function()
    return t.comments(file)[1]
  end)
end

local function on_one_line(file)
  w.go_to('def add(self')
  w.command('comment Why not extend?')
  t.equal('a text is sent at once', { raw = 'Why not extend?', path = 'till/cart.py', to = 24 }, function()
    return latest(2)
  end)
  t.equal('and drawn', { 27, 30, 38 }, function()
    return t.lines(file)
  end)
  t.check('without a draft', function()
    return #vim.api.nvim_tabpage_list_wins(0) == 1 and #w.drafts_on_disk() == 0
  end)
end

local function on_a_local_line(file)
  w.go_to('import enum')
  local draft = w.opens_draft('a line that is only here opens a draft', function()
    w.command('comment Do we need this?')
  end, 'Line 1 is not in the pull request as it is here')
  t.has('with the text', 'Do we need this?', w.body)
  t.has('and the code quoted', '```py\nimport enum\n```', w.body)
  w.wrote('nothing was sent elsewhere unseen', { 'Is `sum` too slow here?', 'Why not extend?' })
  w.send('sent all the same, the draft is gone')
  t.equal('it is on the nearest line', { 'till/cart.py', 1 }, function()
    local comment = latest(3)
    return comment and { comment.path, comment.to }
  end)
  t.has('with the code', '```py\nimport enum\n```', function()
    return w.written()[3].raw
  end)
  vim.cmd.edit({ bang = true })
  t.equal('on disk all is where the pull request has it', { 1, 24, 27, 35 }, function()
    return t.lines(file)
  end)
  return draft
end

local function on_removed_lines()
  w.review('till/receipt.py', { 18 })
  w.go_to('line("To pay"')
  w.opens_draft('lines that were removed can be commented on', function()
    w.command('comment removed')
  end, 'New comment on')
  t.has('they are quoted', 'lines.append(line("TOTAL", str(cart.total())))', t.text)
  w.type('Somebody reads this word.')
  w.send('sent, the draft is gone')
  t.equal('Bitbucket has it on the old side', {
    raw = 'Somebody reads this word.',
    path = 'till/receipt.py',
    from = 15,
  }, function()
    return latest(4)
  end)
end

local function on_more_than_lines()
  w.command('comment file -- Too long a name?')
  t.equal('a comment on the file', { raw = 'Too long a name?', path = 'till/receipt.py' }, function()
    return latest(5)
  end)
  t.has('is drawn on its first line', 'Too long a name?', function()
    return t.drawn(1)
  end)
  w.opens_draft('one on the pull request', function()
    w.command('comment pull-request')
  end, 'New comment')
  t.equal('is about no code', nil, function()
    return t.text():match('`till/')
  end)
  w.type('Ready for the winter sale?')
  w.send('sent, the draft is gone')
  t.equal('stands nowhere in the code', { raw = 'Ready for the winter sale?' }, function()
    return latest(6)
  end)
  vim.cmd.Bitbucket('show')
  t.has('and is in the document', '> Ready for the winter sale?', t.text)
  w.go_to('Ready for the winter sale?')
  w.command('reply On Friday.')
  t.equal('where it is answered', 'On Friday.', function()
    local reply = w.written()[7]
    return reply and reply.parent == w.written()[6].id and reply.raw
  end)
  t.has('which is shown there', '> On Friday.', function()
    t.look()
    return t.text()
  end)
end

w.run(function()
  local file = w.review('till/cart.py', { 35 })
  on_a_selection(file)
  on_one_line(file)
  on_a_local_line(file)
  on_removed_lines()
  on_more_than_lines()
  t.stop()
end)
