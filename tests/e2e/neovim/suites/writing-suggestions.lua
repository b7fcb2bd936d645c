-- Somebody takes what reviewers suggest, and suggests something herself.

local t = require('harness')
local w = require('writing')

local suggested = '        return Money((total.cents * self.percent + 50) // 100)'

local function content(path)
  local file = assert(io.open(path, 'rb'))
  local text = file:read('*a')
  file:close()
  return text
end

---A review's suggestion for one line of a file; its id.
local function suggest(file, on, text)
  return t.bitbucket('comments', {
    file = file,
    author = 'ben',
    on = on,
    text = ('Better:\n\n```suggestion\n%s\n```'):format(text),
  }).id
end

local function one_suggestion()
  local root = w.comment_that('This rounds down')
  local before = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  local expected = vim.deepcopy(before)
  expected[16] = suggested
  t.go(15)
  w.pick('Reply "Applied." and resolve')
  vim.lsp.buf.code_action({
    apply = true,
    context = { only = { 'quickfix' }, diagnostics = {} },
  })
  t.equal('the suggestion is a quick fix, and is applied to the letter', expected, function()
    return vim.api.nvim_buf_get_lines(0, 0, -1, false)
  end)
  w.was_asked('then it is asked what to tell the reviewer', 'The suggestion is applied. Tell the reviewer?')
  w.wrote('he is told', { 'Applied.' })
  t.equal('in the thread, which is resolved', { root.id, 'ana' }, function()
    local reply = w.written()[1]
    return { reply and reply.parent, w.comment(root.id).resolved_by }
  end)
  t.equal('and gone from the code', { 1, 13, 24 }, function()
    return t.lines(0)
  end)
  t.check('nothing is saved before the user does', function()
    return vim.bo.modified and not content(t.path('till/discounts.py')):find('+ 50', 1, true)
  end)
  vim.cmd.undo()
  t.equal('one undo takes it back', before, function()
    return vim.api.nvim_buf_get_lines(0, 0, -1, false)
  end)
end

local function moved_and_changed()
  local root = suggest('till/cart.py', 'return self.price.times(self.count)', '        return self.price.times(max(self.count, 0))')
  local file = w.review('till/cart.py', { 35 })
  vim.cmd.Bitbucket('refresh')
  t.equal('a suggestion for another file', { 16, 35 }, function()
    return t.lines(file)
  end)
  vim.api.nvim_buf_set_lines(file, 0, 0, false, { '# 🧾', '' })
  t.equal('lines are typed above it', { 18, 37 }, function()
    return t.lines(file)
  end)
  t.go(18)
  w.pick('Reply only')
  w.command('apply')
  t.equal('it is applied where its line is now', {
    '    def total(self) -> Money:',
    '        return self.price.times(max(self.count, 0))',
    '',
  }, function()
    return vim.api.nvim_buf_get_lines(file, 16, 19, false)
  end)
  w.wrote('the reviewer is told', { 'Applied.', 'Better:\n\n```suggestion\n        return self.price.times(max(self.count, 0))\n```', 'Applied.' })
  t.check('and the thread stays open', function()
    return w.comment(root).resolved_by == nil
  end)
  w.pick()
  vim.cmd.undo()
  vim.api.nvim_buf_set_lines(file, 17, 18, false, { '        return self.price' })
  t.has('a line that somebody has changed since', 'changed since', function()
    return table.concat(t.comments(file), '\n'):match('18: [^\n]*') or ''
  end)
  t.go(18)
  w.command('apply')
  t.said('is not replaced, and it is said why', 'The suggestion was not applied: the lines were changed since it was made.')
  t.equal('its text is what she typed', '        return self.price', function()
    return vim.api.nvim_buf_get_lines(file, 17, 18, false)[1]
  end)
  vim.cmd.edit({ bang = true })
end

local function with_carriage_returns()
  t.bitbucket('push', {
    branch = 'discounts',
    message = 'A file of another system',
    files = { ['till/shops.txt'] = 'north\r\nsouth\r\neast\r\n' },
  })
  t.git('pull', '-q', '--rebase', 'origin', 'discounts')
  local first = suggest('till/shops.txt', 'south', 'south\nsouth-west')
  local second = suggest('till/shops.txt', 'east', 'far east')
  local file = t.open('till/shops.txt')
  t.equal('Neovim knows a file with CRLF', 'dos', function()
    return vim.bo.fileformat
  end)
  vim.cmd.Bitbucket('refresh')
  t.equal('which has two suggestions', { 2, 3 }, function()
    return t.lines(file)
  end)
  t.go(1)
  w.command('apply all')
  t.equal('apply all applies both', { 'north', 'south', 'south-west', 'far east' }, function()
    return vim.api.nvim_buf_get_lines(file, 0, -1, false)
  end)
  t.said('and says so', '2 suggestions are applied; their threads are still open.')
  vim.cmd.write()
  t.equal('saved, every line ends as all of them did', 'north\r\nsouth\r\nsouth-west\r\nfar east\r\n', function()
    return content(t.path('till/shops.txt'))
  end)
  t.check('their threads are open', function()
    return not w.comment(first).resolved_by and not w.comment(second).resolved_by
  end)
end

local function suggesting()
  w.review('till/receipt.py', { 18 })
  w.go_to('WIDTH = 32')
  local line = vim.fn.line('.')
  local before = #w.written()
  w.opens_draft('a selection becomes a suggestion', function()
    w.press('Vjj:Bitbucket suggest<CR>')
  end, 'New comment on')
  t.equal('that holds the lines', '```suggestion\nWIDTH = 32\n\n\n```', w.body)
  t.has('unchanged, it is not sent unseen', 'This suggestion changes nothing yet', function()
    return table.concat(t.comments(0), '\n')
  end)
  w.press('gg/WIDTH<CR>cwPAPER_WIDTH<Esc>')
  t.equal('once it changes something, there is nothing to say', {}, function()
    return t.comments(0)
  end)
  w.send('sent, the draft is gone')
  t.equal('Bitbucket has it on the selected lines', {
    '```suggestion\nPAPER_WIDTH = 32\n\n\n```',
    'till/receipt.py',
    line,
    line + 2,
  }, function()
    local comment = w.written()[before + 1]
    return comment and { comment.raw, comment.inline.path, comment.inline.start_to, comment.inline.to }
  end)
end

w.run(function()
  w.review('till/discounts.py', { 1, 13, 15, 24 })
  one_suggestion()
  moved_and_changed()
  with_carriage_returns()
  suggesting()
  t.stop()
end)
