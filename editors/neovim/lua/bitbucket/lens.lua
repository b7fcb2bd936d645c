-- Code lenses of our server. Neovim 0.12 keeps them fresh by itself; 0.11 has to be told when to ask.

local M = {}

---Neovim 0.11 writes lenses at the line's end, where virtual text stands too.
---There a thread is drawn once: its lenses can be run, but are not written beside its virtual text.
---@type lsp.Handler
local function show(err, lenses, context)
  vim.lsp.codelens.on_codelens(err, lenses, context)
  local namespace = vim.lsp.diagnostic.get_namespace(context.client_id)
  if err or not vim.diagnostic.config(nil, namespace).virtual_text then
    return
  end
  local taken = {} ---@type table<integer, boolean>
  for _, diagnostic in ipairs(vim.diagnostic.get(context.bufnr, { namespace = namespace })) do
    taken[diagnostic.lnum] = diagnostic.lnum > 0 -- the first line's lens tells of the pull request
  end
  local free = vim.tbl_filter(function(lens)
    return not taken[lens.range.start.line]
  end, lenses or {})
  vim.lsp.codelens.display(free, context.bufnr, context.client_id)
end

---Asks our server, and no other, for the lenses of a buffer.
---@param client vim.lsp.Client
---@param bufnr integer
function M.refresh(client, bufnr)
  if vim.lsp.codelens.enable or vim.g.bitbucket_code_lens == false then
    return
  end
  local params = { textDocument = { uri = vim.uri_from_bufnr(bufnr) } }
  client:request('textDocument/codeLens', params, show, bufnr)
end

---Answers `workspace/codeLens/refresh`.
---@param client_id integer
function M.refresh_all(client_id)
  local client = vim.lsp.get_client_by_id(client_id)
  for bufnr in pairs(client and client.attached_buffers or {}) do
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
  vim.api.nvim_create_autocmd({ 'BufEnter', 'InsertLeave', 'TextChanged', 'DiagnosticChanged' }, {
    buffer = bufnr,
    group = vim.api.nvim_create_augroup('bitbucket.lens.' .. bufnr, {}),
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
