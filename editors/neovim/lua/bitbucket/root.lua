-- Which buffers the server is attached to, and which folder each belongs to.

local M = {}

---@param name string of a variable in the server's environment
---@return string?
local function env(name)
  local value = (vim.lsp.config.bitbucket.cmd_env or {})[name] or vim.env[name]
  return value ~= '' and value or nil
end

---The folder where the server writes its read-only documents, as the server chooses it.
---@return string
local function documents()
  local cache = env('BITBUCKET_LSP_CACHE')
  if cache then
    return vim.fs.normalize(cache) .. '/documents'
  elseif vim.fn.has('win32') == 1 then
    return vim.fs.normalize('$LOCALAPPDATA/bitbucket-lsp/cache/documents')
  elseif vim.fn.has('mac') == 1 then
    return vim.fs.normalize('~/Library/Caches/bitbucket-lsp/documents')
  end
  return vim.fs.normalize(env('XDG_CACHE_HOME') or '~/.cache') .. '/bitbucket-lsp/documents'
end

---The folder where the server keeps drafts, as the server chooses it.
---@return string
local function drafts()
  local state = env('BITBUCKET_LSP_STATE')
  if state then
    return vim.fs.normalize(state) .. '/drafts'
  elseif vim.fn.has('win32') == 1 then
    return vim.fs.normalize('$LOCALAPPDATA/bitbucket-lsp/data/drafts')
  elseif vim.fn.has('mac') == 1 then
    return vim.fs.normalize('~/Library/Application Support/bitbucket-lsp/drafts')
  end
  return vim.fs.normalize(env('XDG_STATE_HOME') or '~/.local/state') .. '/bitbucket-lsp/drafts'
end

---@param path string
---@param folder string
---@return boolean
local function is_below(path, folder)
  return vim.startswith(vim.fs.normalize(path), folder .. '/')
    or vim.startswith(vim.uv.fs_realpath(path) or path, (vim.uv.fs_realpath(folder) or folder) .. '/')
end

---Whether a file is a document that the server made, to be read.
---@param path string absolute
---@return boolean
function M.is_document(path)
  return is_below(path, documents())
end

---Whether a file is a draft: the server made it, and the user writes it.
---@param path string absolute
---@return boolean
function M.is_draft(path)
  return vim.endswith(path, '.md') and is_below(path, drafts())
end

---The work tree that a file is in. `.git` is a file in worktrees and submodules.
---@param path string absolute
---@return string?
function M.work_tree(path)
  if not path:find('[/\\]%.git[/\\]') then
    return vim.fs.root(path, '.git')
  end
end

---Says by calling `on_dir` that the server is wanted for a buffer; see `root_dir` in |vim.lsp.Config|.
---@param bufnr integer
---@param on_dir fun(root?: string)
function M.find(bufnr, on_dir)
  local path = vim.api.nvim_buf_get_name(bufnr)
  if path == '' or vim.bo[bufnr].buftype ~= '' or path:find('^%a[%w+.-]*://') then
    return
  end
  local ours = M.is_document(path) or M.is_draft(path)
  local root = not ours and M.work_tree(path) or nil
  if ours or root then
    on_dir(root)
  end
end

---Starts or reuses the server for a buffer without a file type, as vim.lsp.enable() does for the others.
---@param bufnr integer
function M.start(bufnr)
  M.find(bufnr, function(root)
    local config = vim.deepcopy(vim.lsp.config.bitbucket)
    config.root_dir = root
    vim.lsp.start(config, { bufnr = bufnr, reuse_client = config.reuse_client })
  end)
end

return M
