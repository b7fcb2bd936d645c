-- Somebody answers a thread: by a draft, by a word; edits, deletes, resolves.

local t = require('harness')
local w = require('writing')

local function by_draft(file)
  local root = w.comment_that('This rounds down')
  t.go(15)
  local code_window = vim.api.nvim_get_current_win()
  local draft = w.opens_draft('a reply opens a draft', function()
    w.command('reply')
  end, 'Reply to Ben Okafor in pull request #4')
  local path = vim.api.nvim_buf_get_name(draft)
  t.check('in a split below the code', function()
    return #vim.api.nvim_tabpage_list_wins(0) == 2
      and vim.api.nvim_win_get_buf(code_window) == file
      and vim.api.nvim_win_get_position(0)[1] > 1
  end)
  t.equal('with the cursor where one types', { 1, 0 }, function()
    return vim.api.nvim_win_get_cursor(0)
  end)
  t.has('what is answered is quoted', '> This rounds down', t.text)
  t.equal('what can be done is written there', { '1: Send reply', '1: Discard' }, t.lenses)

  w.type('You are right.\nI will *round*.')
  w.press(':w<CR>')
  t.check('it is saved', function()
    return not vim.bo.modified and vim.fn.readfile(path)[2] == 'I will *round*.'
  end)
  -- The server answers one after the other: what it would have begun to send by now is on its way.
  t.equal('the server goes on', { '1: Send reply', '1: Discard' }, t.lenses)
  w.wrote('saving sends nothing', {})

  w.send('sent, the draft is gone')
  t.check('its split too', function()
    return #vim.api.nvim_tabpage_list_wins(0) == 1 and vim.api.nvim_get_current_buf() == file
  end)
  w.wrote('Bitbucket has it once', { 'You are right.\nI will *round*.' })
  t.equal('as an answer of hers to the thread', { root.id, 'ana' }, function()
    local reply = w.written()[1]
    return { reply.parent, reply.author }
  end)
  t.said('and that is said', 'Your reply is on Bitbucket.')
  t.has('the thread has it', '↳ **You** · just now', function()
    return t.hover(15)
  end)
  t.has('word by word', 'You are right.', function()
    return t.hover(15)
  end)
  t.has('the code tells of one reply', '(+1 reply)', function()
    return t.comments(file)[3]
  end)
end

local function by_text(file)
  w.go_to('percent: int')
  w.command('reply Done, thanks')
  t.equal('a text is sent without a draft', 'Done, thanks', function()
    local latest = w.written()[2]
    return latest and latest.raw
  end)
  t.has('and shown in the thread', 'Done, thanks', function()
    return t.hover(13)
  end)
  t.check('with no window and no file', function()
    return #vim.api.nvim_tabpage_list_wins(0) == 1 and #w.drafts_on_disk() == 0
  end)
  t.has('the code counts it', '(+2 replies)', function()
    return t.comments(file)[2]
  end)
end

local function own_comments()
  w.go_to('percent: int')
  local own = w.written()[2].id
  w.opens_draft('the own comment is edited in a draft', function()
    w.command('edit')
  end, 'Edit of your comment')
  t.equal('which has its text', 'Done, thanks', w.body)
  t.equal('with the cursor behind it', { 1, #'Done, thanks' - 1 }, function()
    return vim.api.nvim_win_get_cursor(0)
  end)
  w.press('A, Cleo<Esc>')
  w.send('sent, its draft is gone')
  t.equal('Bitbucket has the new text', { 'Done, thanks, Cleo', { 'Done, thanks' } }, function()
    local comment = w.comment(own)
    return { comment.raw, comment.edits }
  end)
  t.has('so has the thread', 'Done, thanks, Cleo', function()
    return t.hover(13)
  end)

  w.pick()
  w.command('delete')
  w.was_asked('before one is deleted, it is asked', 'Delete your comment «Done, thanks, Cleo»?')
  t.equal('without a yes it stays', { false, 'Done, thanks, Cleo' }, function()
    local comment = w.comment(own)
    return { comment.deleted, comment.raw }
  end)
  w.pick('Delete')
  w.command('delete')
  t.check('with one it is deleted', function()
    return w.comment(own).deleted
  end)
  t.check('from the thread too', function()
    local hover = t.hover(13)
    return not hover:find('Done, thanks', 1, true), hover
  end)
  w.pick()
  w.go_to('class Percentage')
  w.command('edit')
  t.said('where there is none of hers, it says so', 'no comment of yours on this line')
end

local function resolving(file)
  local thread = w.comment_that('Nothing keeps this')
  w.go_to('percent: int')
  w.command('resolve')
  t.equal('a resolved thread goes from the code', { 1, 15, 24 }, function()
    return t.lines(file)
  end)
  t.equal('and is resolved on Bitbucket, by her', 'ana', function()
    return w.comment(thread.id).resolved_by
  end)
  vim.cmd.Bitbucket('show')
  t.has('the list of threads says so', 'Nothing keeps this from being 250, or -10. · 1 reply · resolved', t.text)
  w.go_to('Nothing keeps this')
  w.command('reopen')
  t.check('from the list it is opened again', function()
    return w.comment(thread.id).resolved_by == nil
  end)
  t.check('the list says that as well', function()
    t.look()
    return not t.text():find('or -10. · 1 reply · resolved', 1, true), t.text()
  end)
  vim.cmd.buffer(file)
  t.equal('and it is back in the code', { 1, 13, 15, 24 }, function()
    return t.lines(file)
  end)
  w.go_to('percent: int')
  w.command('resolve next')
  t.equal('resolve next goes on to the next one', 'discounts.py:15', t.here)
  t.equal('and has resolved the one before', 'ana', function()
    return w.comment(thread.id).resolved_by
  end)
  t.equal('in the code as well', { 1, 15, 24 }, function()
    return t.lines(file)
  end)
  t.has('the summary counts one less', '7 open threads', function()
    return t.lenses()[1] or ''
  end)

  t.bitbucket('faults', { fault = 'forbidden', method = 'POST' })
  w.command('resolve')
  t.said('what Bitbucket refuses is said', 'The thread was not resolved.')
  t.equal('and is as before', { 1, 15, 24 }, function()
    return t.lines(file)
  end)
  t.bitbucket('faults/clear')
end

w.run(function()
  local file = w.review('till/discounts.py', { 1, 13, 15, 24 })
  by_draft(file)
  by_text(file)
  own_comments()
  resolving(file)
  t.check('nothing is left to be sent', function()
    return #w.drafts_on_disk() == 0, w.drafts_on_disk()
  end)
  t.stop()
end)
