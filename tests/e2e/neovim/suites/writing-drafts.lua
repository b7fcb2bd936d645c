-- Somebody's texts on their way: many drafts, their list, and what happens when the way is broken.

local t = require('harness')
local w = require('writing')

local list = { 'till/discounts.py', { 1, 13, 15, 24 } }

---Begins a reply to the thread on a line of the code, types it, and hides its window again.
local function begin(on, text)
  w.go_to(on)
  local draft = w.opens_draft(('a reply at “%s”'):format(on), function()
    w.command('reply')
  end, 'Reply to')
  w.type(text)
  return draft, vim.api.nvim_buf_get_name(draft)
end

local function the_list(file)
  local one = begin('percent: int', 'First thought')
  t.has('the summary counts one draft', ' · 1 draft', function()
    vim.cmd.buffer(file)
    return t.lenses()[1] or ''
  end)
  vim.cmd.only()
  local two, second = begin('def off(self, total: Money) -> Money:', 'Second thought')
  vim.cmd.write()
  vim.cmd.hide()
  t.has('and then two', ' · 2 drafts', function()
    return t.lenses()[1] or ''
  end)

  vim.cmd.Bitbucket('drafts')
  t.has('they have a list', 'First thought', t.text)
  t.has('with both', 'Second thought', t.text)
  t.check('which is read-only', function()
    return vim.bo.readonly and not vim.bo.modifiable
  end)
  local first_line, second_line = w.line_of('First thought'), w.line_of('Second thought')
  t.check('each line has what can be done', function()
    local lenses = table.concat(t.lenses(), '\n')
    return lenses:find(': Open', 1, true) and lenses:find(': Send reply', 1, true) and lenses:find(': Discard', 1, true), lenses
  end)

  t.go(second_line)
  w.act('Bitbucket: Open draft')
  t.equal('an action opens one', two, function()
    return vim.api.nvim_get_current_buf()
  end)
  t.equal('with its text', 'Second thought', w.body)
  vim.cmd.Bitbucket('drafts')
  t.go(second_line)
  w.command('discard')
  w.is_closed('discard takes the one on the line', two, second)
  t.said('and says where its text is', 'The draft was discarded; its text is kept for 30 days')
  t.check('the list has it no longer', function()
    t.look()
    return not t.text():find('Second thought', 1, true) and t.text():find('First thought', 1, true), t.text()
  end)

  t.go(w.line_of('First thought') or first_line)
  local path = vim.api.nvim_buf_get_name(one)
  w.command('send')
  w.is_closed('send sends the one on the line, unsaved as it is', one, path)
  w.wrote('it is on Bitbucket', { 'First thought' })
  t.check('the list is empty', function()
    t.look()
    return t.text():find('nothing waits to be sent', 1, true), t.text()
  end)
  vim.cmd.buffer(file)
  w.command('send')
  t.said('where there is no draft, none is sent', 'There is no such draft')
end

local function typed_on(file)
  local draft, path = begin('percent: int', 'More')
  t.bitbucket('faults', { fault = 'hold', method = 'POST' })
  w.command('send')
  t.has('while it is sent the thread says so', 'being sent', function()
    vim.cmd.buffer(file)
    return t.hover(13)
  end)
  vim.cmd.buffer(draft)
  w.press('ggA, and more<Esc>')
  t.bitbucket('faults/clear')
  w.wrote('what was sent is what stood there', { 'First thought', 'More' })
  t.said('what was typed since stays', vim.fs.basename(path) .. ' stays open')
  t.has('on the screen', 'More, and more', function()
    return vim.api.nvim_buf_get_lines(draft, 0, 1, false)[1] or ''
  end)
  vim.cmd.bwipeout({ draft, bang = true })
end

local function lost_reply()
  local before = #w.written()
  local asked = #w.asked
  local _, path = begin('percent: int', 'Answered into the void')
  w.today()
  t.bitbucket('faults', { fault = 'lost_reply', method = 'POST', times = 1 })
  w.send('the answer of Bitbucket is lost: the draft is sent all the same')
  t.check('its file is gone', function()
    return not vim.uv.fs_stat(path)
  end)
  t.equal('Bitbucket has it once', { before + 1, 'Answered into the void' }, function()
    local all = w.written()
    return { #all, all[#all].raw }
  end)
  t.equal('and nobody was asked', asked, function()
    return #w.asked
  end)
  t.bitbucket('faults/clear')
end

w.run(function()
  local file = w.review(unpack(list))
  the_list(file)
  typed_on(file)
  vim.cmd.buffer(file)
  lost_reply()
  t.check('nothing is left to be sent', function()
    return #w.drafts_on_disk() == 0, w.drafts_on_disk()
  end)
  t.stop()
end)
