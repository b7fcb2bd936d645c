-- Code lenses of our server. Neovim 0.12 keeps them fresh by itself; 0.11 has to be told when to ask.

local M = {}

local namespace = vim.api.nvim_create_namespace('bitbucket.lens')

-- Further right than virtual text of diagnostics, which has the priority that marks have by themselves.
local priority = 5000

---The titles to write, by 0-based line.
---Neovim 0.11 writes lenses at the line's end, where virtual text stands too.
---There a thread is drawn once: its lenses can be run, but are not written beside its virtual text.
---@param client_id integer
---@param bufnr integer
---@param is_code boolean
---@return table<integer, string[]>
local function titles(client_id, bufnr, is_code)
  local taken = {} ---@type table<integer, boolean>
  local diagnostics = vim.lsp.diagnostic.get_namespace(client_id)
  if vim.diagnostic.config(nil, diagnostics).virtual_text then
    for _, diagnostic in ipairs(vim.diagnostic.get(bufnr, { namespace = diagnostics })) do
      taken[diagnostic.lnum] = diagnostic.lnum > 0 -- the first line's lens tells of the pull request
    end
  end
  local by_line = {} ---@type table<integer, string[]>
  for _, lens in ipairs(vim.lsp.codelens.get(bufnr)) do
    local line, command = lens.range.start.line, lens.command
    if command and vim.startswith(command.command, 'bitbucket.') and not taken[line] then
      by_line[line] = by_line[line] or {}
      -- A thread on the first line of code has its virtual text there.
      if line > 0 or not is_code or #by_line[line] == 0 then
        table.insert(by_line[line], command.title)
      end
    end
  end
  return by_line
end

---Writes our lenses ourselves: Neovim's own way would put them before the comment of the first line.
---@param client_id integer
---@param bufnr integer
local function draw(client_id, bufnr)
  if not vim.api.nvim_buf_is_loaded(bufnr) then
    return
  end
  vim.lsp.codelens.display({}, bufnr, client_id)
  vim.api.nvim_buf_clear_namespace(bufnr, namespace, 0, -1)
  local last = vim.api.nvim_buf_line_count(bufnr) - 1
  -- In our own documents a long line is wrapped, and its lens goes on with it.
  local root, path = require('bitbucket.root'), vim.api.nvim_buf_get_name(bufnr)
  local is_document = root.is_document(path)
  for line, texts in pairs(titles(client_id, bufnr, not is_document and not root.is_draft(path))) do
    if line <= last then
      local column = is_document and #vim.api.nvim_buf_get_lines(bufnr, line, line + 1, false)[1] or 0
      vim.api.nvim_buf_set_extmark(bufnr, namespace, line, column, {
        virt_text_pos = is_document and 'inline' or 'eol',
        virt_text = { { '  ' .. table.concat(texts, ' | '), 'LspCodeLens' } },
        hl_mode = 'combine',
        priority = priority,
      })
    end
  end
end

---@type lsp.Handler
local function show(err, lenses, context)
  vim.lsp.codelens.on_codelens(err, lenses, context)
  if not err then
    draw(context.client_id, context.bufnr)
  end
end

---Asks our server, and no other, for the lenses of a buffer.
---@param client vim.lsp.Client
---@param bufnr integer
function M.refresh(client, bufnr)
  local is_gone = not vim.api.nvim_buf_is_valid(bufnr) -- as a draft is that was sent
  if is_gone or vim.lsp.codelens.enable or vim.g.bitbucket_code_lens == false then
    return
  end
  local params = { textDocument = { uri = vim.uri_from_bufnr(bufnr) } }
  client:request('textDocument/codeLens', params, show, bufnr)
end

---Answers `workspace/codeLens/refresh`: the review has changed, and with it the documents that tell of it.
---@param client_id integer
function M.refresh_all(client_id)
  local client = vim.lsp.get_client_by_id(client_id)
  for bufnr in pairs(client and client.attached_buffers or {}) do
    require('bitbucket.attach').look_again(vim.uri_from_bufnr(bufnr))
    M.refresh(client, bufnr)
  end
  return vim.NIL
end

---@param client vim.lsp.Client
---@param bufnr integer
function M.attach(client, bufnr)
  if not client:supports_method('textDocument/codeLens', bufnr) then
    return
  end
  if vim.lsp.codelens.enable then
    vim.lsp.codelens.enable(true, { client_id = client.id })
    return
  end
  M.refresh(client, bufnr)
  local group = vim.api.nvim_create_augroup('bitbucket.lens.' .. bufnr, {})
  -- Neovim asks by itself, and writes them its way, after a lens was run.
  vim.api.nvim_create_autocmd('LspRequest', {
    buffer = bufnr,
    group = group,
    callback = function(event)
      local request = event.data.request
      if
        event.data.client_id == client.id
        and request.type == 'complete'
        and request.method == 'textDocument/codeLens'
      then
        vim.schedule(function()
          draw(client.id, bufnr)
        end)
      end
    end,
  })
  vim.api.nvim_create_autocmd({ 'BufEnter', 'InsertLeave', 'TextChanged', 'DiagnosticChanged' }, {
    buffer = bufnr,
    group = group,
    callback = function()
      if not client.attached_buffers[bufnr] then
        return true
      end
      if not vim.startswith(vim.fn.mode(), 'i') then
        M.refresh(client, bufnr)
      end
    end,
  })
end

return M
