-- What the suites share in which somebody writes: keys, drafts, answers to questions, and what arrived at Bitbucket.

local t = require('harness')

-- `asked`: the questions and menus so far. `before`: the latest comment that Bitbucket had at the start.
local M = { asked = {}, before = 0 }

---Presses keys, and lets them have their effect.
function M.press(keys)
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, false, true), 'xt', false)
end

---Types text before the cursor, and leaves insert mode.
function M.type(text)
  M.press('i' .. text:gsub('<', '<lt>'):gsub('\n', '<CR>') .. '<Esc>')
end

---Types a command.
function M.command(text)
  M.press(':Bitbucket ' .. text .. '<CR>')
end

---Moves the cursor to the first line that has this text.
function M.go_to(text)
  vim.fn.cursor(1, 1)
  assert(vim.fn.search('\\V' .. vim.fn.escape(text, '\\'), 'cW') > 0, text)
end

---Where in a buffer a text is: a line, counted from 1.
function M.line_of(text)
  for line, content in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    if content:find(text, 1, true) then
      return line
    end
  end
end

---From now on, picks the entry with this text from what is asked; without a text, nothing.
function M.pick(text)
  vim.ui.select = function(items, options, choose)
    local titles = vim.tbl_map(options.format_item, items)
    table.insert(M.asked, { prompt = options.prompt or '', titles = titles })
    for index, title in ipairs(titles) do
      if text and title:find(text, 1, true) then
        return choose(items[index], index)
      end
    end
    choose()
  end
end

---Picks an action at the cursor, by the end of its title, from the menu as `gra` opens it.
function M.act(title)
  local before = #M.asked
  M.pick(title)
  vim.lsp.buf.code_action()
  t.check(('there is an action “%s”'):format(title), function()
    local menu = M.asked[before + 1]
    return menu and table.concat(menu.titles, '\n'):find(title, 1, true), menu
  end)
  M.pick()
end

---Waits for a question.
function M.was_asked(name, part)
  t.has(name, part, function()
    return vim.inspect(M.asked):gsub('\\n', '\n')
  end)
end

---The buffer of the current window, if it is a draft that is attached.
function M.draft()
  local bufnr = vim.api.nvim_get_current_buf()
  local is_draft = vim.api.nvim_buf_get_name(bufnr):find('/state/drafts/[^/]*%.md$')
  return is_draft and t.client(bufnr) and bufnr or nil
end

---Does what opens a draft, and waits for it; its buffer.
function M.opens_draft(name, deed, part)
  deed()
  t.check(name, function()
    return M.draft() and t.text():find(part, 1, true), vim.api.nvim_buf_get_name(0) .. '\n' .. t.text()
  end)
  return vim.api.nvim_get_current_buf()
end

---The draft's text, as it would be sent.
function M.body()
  return vim.trim(t.text():match('^(.-)\n?<!%-%- Your text ends here') or '')
end

---Waits until a draft is gone from the screen and from the disk.
function M.is_closed(name, bufnr, path)
  t.check(name, function()
    return not vim.api.nvim_buf_is_valid(bufnr) and not vim.uv.fs_stat(path), vim.api.nvim_buf_is_valid(bufnr)
  end)
end

---Sends the draft of the current window by typing `:Bitbucket send`, and waits until it is closed.
function M.send(name)
  local bufnr, path = vim.api.nvim_get_current_buf(), vim.api.nvim_buf_get_name(0)
  M.command('send')
  M.is_closed(name, bufnr, path)
end

---The files of drafts on disk.
function M.drafts_on_disk()
  return vim.fn.glob(vim.env.BITBUCKET_LSP_STATE .. '/drafts/*.md', true, true)
end

---What was written since the start, oldest first.
function M.written()
  return t.tells('comments?after=' .. M.before)
end

---One comment, as Bitbucket has it.
function M.comment(id)
  return vim.iter(t.tells('comments')):find(function(comment)
    return comment.id == id
  end)
end

---The comment whose raw text begins so.
function M.comment_that(begins)
  return vim.iter(t.tells('comments')):find(function(comment)
    return vim.startswith(comment.raw, begins)
  end)
end

---Waits until what was written since the start has these texts.
function M.wrote(name, texts)
  t.equal(name, texts, function()
    return vim.tbl_map(function(comment)
      return comment.raw
    end, M.written())
  end)
end

---Opens a file of the sample, and waits for the comments on these lines; its buffer.
function M.review(file, lines)
  local bufnr = t.open(file)
  t.equal(file .. ' has its comments', lines, function()
    return t.lines(bufnr)
  end)
  t.check('and its lenses', function()
    return #t.lenses() > 0
  end)
  return bufnr
end

---From now on, what happens on Bitbucket happens today: the sample is an hour old, so that its ages rest.
function M.today()
  t.bitbucket('clock', { now = os.date('!%Y-%m-%dT%H:%M:%SZ') })
end

---Runs a suite, as the harness does, with nothing picked that is not told to be.
function M.run(suite)
  t.run(function()
    for _, comment in ipairs(t.tells('comments')) do
      M.before = math.max(M.before, comment.id)
    end
    M.today()
    M.pick()
    suite()
  end)
end

return M
