-- Drafts: texts that the server makes and the user writes. Each has a split of its own, until it is sent or discarded.
-- No text that somebody typed is taken away here: what is closed is what the server said it has, and nothing later.

local root = require('bitbucket.root')

local M = {}

---What each draft's buffer said when it was last sent, or was to be discarded.
---@type table<integer, string>
local handed_over = {}

---@param bufnr integer
---@return string
local function text_of(bufnr)
  return table.concat(vim.api.nvim_buf_get_lines(bufnr, 0, -1, false), '\n')
end

---@param bufnr integer
---@return string
local function on_disk(bufnr)
  return table.concat(vim.fn.readfile(vim.api.nvim_buf_get_name(bufnr)), '\n')
end

---Whether a window holds a file, unlike a quickfix list, a terminal or a float.
---@param window integer
---@return boolean
local function holds_file(window)
  local buffer = vim.api.nvim_win_get_buf(window)
  return vim.bo[buffer].buftype == '' and vim.api.nvim_win_get_config(window).relative == ''
end

---@param bufnr integer
local function split(bufnr)
  local windows = vim.list_extend({ vim.api.nvim_get_current_win() }, vim.api.nvim_tabpage_list_wins(0))
  local beside = vim.iter(windows):find(holds_file) or windows[1]
  local side = vim.g.bitbucket_draft_split or 'below'
  local ok, window = pcall(vim.api.nvim_open_win, bufnr, false, { split = side, win = beside })
  if ok then
    vim.w[window].bitbucket_draft = true
    local look = vim.wo[window][0]
    look.wrap, look.linebreak = true, true
  end
end

---Makes a split for a draft that is to be shown and has no window, so that Neovim shows it there. Where there is no
---room for one, it is shown as any other document.
---@param params lsp.ShowDocumentParams
function M.make_room(params)
  if
    params.external
    or not vim.startswith(params.uri, 'file:')
    or not root.is_draft(vim.uri_to_fname(params.uri))
  then
    return
  end
  local bufnr = vim.uri_to_bufnr(params.uri)
  if vim.api.nvim_buf_is_loaded(bufnr) then
    vim.cmd.checktime(bufnr)
  end
  if vim.tbl_isempty(vim.fn.win_findbuf(bufnr)) then
    split(bufnr)
  end
end

---Of what is chosen from its menu Neovim takes only the first word, where that is no snippet: the rest is put behind it.
local function complete_whole()
  local word = vim.v.completed_item.word
  local item = vim.tbl_get(vim.v.completed_item, 'user_data', 'nvim', 'lsp', 'completion_item')
  local text = vim.tbl_get(item or {}, 'textEdit', 'newText')
  if vim.v.event.reason ~= 'accept' or not text or not word or not vim.startswith(text, word) then
    return
  end
  local rest = vim.split(text:sub(#word + 1), '\n', { plain = true })
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local is_there = vim.endswith(vim.api.nvim_get_current_line():sub(1, column), word)
  if #rest > 1 and is_there then
    vim.api.nvim_buf_set_text(0, row - 1, column, row - 1, column, rest)
    vim.api.nvim_win_set_cursor(0, { row + #rest - 1, #rest[#rest] })
  end
end

---@param bufnr integer
function M.attach(bufnr)
  -- The server keeps what is typed, and sooner; after a crash there is then nothing to be asked.
  vim.bo[bufnr].swapfile = false
  if vim.bo[bufnr].filetype == '' then
    vim.bo[bufnr].filetype = 'markdown'
  end
  local group = vim.api.nvim_create_augroup('bitbucket.draft.' .. bufnr, {})
  vim.api.nvim_create_autocmd('FileChangedShell', {
    buffer = bufnr,
    group = group,
    callback = function()
      local is_there = vim.v.fcs_reason ~= 'deleted'
      local loses_nothing = is_there and (not vim.bo[bufnr].modified or on_disk(bufnr) == text_of(bufnr))
      vim.v.fcs_choice = loses_nothing and 'reload' or ''
    end,
  })
  vim.api.nvim_create_autocmd('CompleteDone', { buffer = bufnr, group = group, callback = complete_whole })
  vim.api.nvim_create_autocmd('BufWipeout', {
    buffer = bufnr,
    group = group,
    callback = function()
      handed_over[bufnr] = nil
    end,
  })
end

---@param command lsp.Command
---@param context { bufnr: integer, client_id: integer }
local function hand_over_one(command, context)
  local target = command.arguments and command.arguments[1] or {}
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    local path = vim.api.nvim_buf_get_name(bufnr)
    local is_it = target.draft and vim.fs.basename(path) == target.draft .. '.md'
      or not target.draft and target.uri and target.uri == vim.uri_from_bufnr(bufnr)
    if is_it and vim.api.nvim_buf_is_loaded(bufnr) and root.is_draft(path) then
      handed_over[bufnr] = text_of(bufnr)
    end
  end
  require('bitbucket.command').hand_on(command, context)
end

---The draft that a line of the list of drafts is about, as the lenses of the list say.
---@param lenses lsp.CodeLens[]
---@param line integer
---@return string? id
local function draft_at(lenses, line)
  local first, id = -1, nil
  for _, lens in ipairs(lenses) do
    local argument = lens.command and lens.command.arguments and lens.command.arguments[1] or {}
    local start = lens.range.start.line
    if argument.draft and start <= line and start > first then
      first, id = start, argument.draft
    end
  end
  return id
end

---Sends a draft or discards it, and remembers what it said.
---@param command lsp.Command
---@param context { bufnr: integer, client_id: integer }
function M.hand_over(command, context)
  local target = command.arguments and command.arguments[1] or {}
  local client = vim.lsp.get_client_by_id(context.client_id)
  if not client or target.draft or not target.uri or not root.is_document(vim.uri_to_fname(target.uri)) then
    hand_over_one(command, context)
    return
  end
  client:request('textDocument/codeLens', { textDocument = { uri = target.uri } }, function(_, lenses)
    local id = draft_at(lenses or {}, target.line or 0)
    hand_over_one(vim.tbl_extend('force', command, { arguments = { id and { draft = id } or target } }), context)
  end, context.bufnr)
end

---@param uri string
---@return integer?
local function buffer_of(uri)
  return vim.iter(vim.api.nvim_list_bufs()):find(function(bufnr)
    return vim.uri_from_bufnr(bufnr) == uri
  end)
end

---Takes a draft's window away with its buffer; a window that was there before shows what it showed then.
---@param bufnr integer
local function wipe(bufnr)
  if vim.api.nvim_get_current_buf() == bufnr then
    vim.cmd.stopinsert() -- else the next keys would be typed into what is beneath
  end
  for _, window in ipairs(vim.fn.win_findbuf(bufnr)) do
    if not vim.w[window].bitbucket_draft then
      vim.api.nvim_win_call(window, function()
        pcall(vim.cmd.buffer, { '#', bang = true })
      end)
    end
  end
  vim.api.nvim_buf_delete(bufnr, { force = true })
end

---Answers `bitbucket/draftClosed`: a draft was sent or discarded, and its file is gone.
---@param uri string
function M.closed(uri)
  local bufnr = buffer_of(uri)
  if not bufnr then
    return
  end
  local known = handed_over[bufnr]
  local is_as_sent = vim.api.nvim_buf_is_loaded(bufnr) and known == text_of(bufnr)
  if is_as_sent or not vim.bo[bufnr].modified and not known then
    wipe(bufnr)
    return
  end
  handed_over[bufnr] = nil
  local name = vim.fs.basename(vim.api.nvim_buf_get_name(bufnr))
  local sentence = '%s stays open: something was typed in it that was not sent. Save it elsewhere by :saveas.'
  require('bitbucket').say(sentence:format(name), vim.log.levels.WARN)
end

return M
