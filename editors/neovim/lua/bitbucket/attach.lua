-- What is done once per buffer when the server is attached to it.

local root = require('bitbucket.root')

local M = {}

---Tells the server of a repository that it was not started with.
---@param client vim.lsp.Client
---@param path string of the buffer's file
local function add_folder(client, path)
  local tree = root.work_tree(path)
  if not tree then
    return
  end
  local folder = { uri = vim.uri_from_fname(tree), name = tree }
  client.workspace_folders = client.workspace_folders or {}
  for _, known in ipairs(client.workspace_folders) do
    if known.uri == folder.uri then
      return
    end
  end
  table.insert(client.workspace_folders, folder)
  client:notify('workspace/didChangeWorkspaceFolders', { event = { added = { folder }, removed = {} } })
end

---Draws our diagnostics, and only ours, as signs and virtual text.
---@param client vim.lsp.Client
local function show_diagnostics(client)
  local severity = vim.diagnostic.severity
  local text = vim.g.bitbucket_virtual_text
  if text == nil and not vim.diagnostic.config().virtual_lines then
    text = {
      prefix = '▎',
      spacing = 2,
      format = function(diagnostic)
        return vim.split(diagnostic.message, '\n', { plain = true })[1]
      end,
    }
  end
  vim.diagnostic.config({
    virtual_text = text,
    signs = {
      text = {
        [severity.ERROR] = '◆',
        [severity.WARN] = '◆',
        [severity.INFO] = '◆',
        [severity.HINT] = '◇',
      },
    },
  }, vim.lsp.diagnostic.get_namespace(client.id))
end

---The one document of the server that something is pasted into. It is taken as it is typed: nothing has to be saved,
---so the buffer never counts as modified, and the server may write it anew.
---@param bufnr integer
local function let_paste(bufnr)
  vim.api.nvim_create_autocmd({ 'TextChanged', 'TextChangedI', 'InsertLeave' }, {
    buffer = bufnr,
    group = vim.api.nvim_create_augroup('bitbucket.paste.' .. bufnr, {}),
    callback = function()
      vim.bo[bufnr].modified = false
    end,
  })
end

---A document of the server is read; the server writes it anew when the review changes.
---@param bufnr integer
local function show_document(bufnr)
  local options = vim.bo[bufnr]
  local is_read = vim.fs.basename(vim.api.nvim_buf_get_name(bufnr)) ~= 'finish-sign-in.md'
  options.readonly, options.modifiable, options.swapfile, options.autoread = is_read, not is_read, false, true
  if not is_read then
    options.undofile = false
    let_paste(bufnr)
  end
  if options.filetype == '' then
    options.filetype = 'markdown'
  end
  -- To be read, not written: addresses of links and marks of emphasis are hidden.
  pcall(vim.treesitter.start, bufnr, 'markdown')
  require('bitbucket.diff').paint(bufnr)
  local function dress(window)
    local look = vim.wo[window][0]
    look.conceallevel, look.wrap, look.linebreak, look.number, look.relativenumber = 2, true, true, false, false
  end
  vim.tbl_map(dress, vim.fn.win_findbuf(bufnr))
  local group = vim.api.nvim_create_augroup('bitbucket.document.' .. bufnr, {})
  vim.api.nvim_create_autocmd('FileChangedShellPost', {
    buffer = bufnr,
    group = group,
    callback = function()
      require('bitbucket.diff').paint(bufnr)
    end,
  })
  vim.api.nvim_create_autocmd('BufWinEnter', {
    buffer = bufnr,
    group = group,
    callback = function()
      dress(vim.api.nvim_get_current_win())
    end,
  })
  vim.api.nvim_create_autocmd({ 'BufEnter', 'CursorHold' }, {
    buffer = bufnr,
    group = group,
    callback = function()
      vim.cmd.checktime(bufnr)
    end,
  })
end

---A document of the server that is shown again was written anew, also where its buffer is on screen already.
---@param uri string
function M.look_again(uri)
  if vim.startswith(uri, 'file:') and root.is_document(vim.uri_to_fname(uri)) then
    vim.cmd.checktime(vim.uri_to_bufnr(uri))
  end
end

---@param client vim.lsp.Client
---@param bufnr integer
function M.attach(client, bufnr)
  local path = vim.api.nvim_buf_get_name(bufnr)
  show_diagnostics(client)
  if root.is_document(path) then
    show_document(bufnr)
  elseif root.is_draft(path) then
    require('bitbucket.draft').attach(bufnr)
  else
    add_folder(client, path)
  end
  if vim.g.bitbucket_code_lens ~= false then
    require('bitbucket.lens').attach(client, bufnr)
  end
  if vim.g.bitbucket_maps then
    require('bitbucket.keys').map(bufnr)
  end
end

return M
