-- The keys of g:bitbucket_maps. They are taken only where the server is attached.

local M = {}

---By what follows the prefix: the <Plug> map, what it does, and its modes where these are not only normal.
---@type table<string, { [1]: string, [2]: string, [3]?: string[] }>
local keys = {
  n = { 'next', 'next comment' },
  p = { 'prev', 'comment before' },
  t = { 'thread', 'the thread' },
  v = { 'show', 'the pull request' },
  l = { 'drafts', 'list of drafts' },
  r = { 'reply', 'reply' },
  c = { 'comment', 'comment on the lines', { 'n', 'x' } },
  x = { 'comment-removed', 'comment on removed lines', { 'n', 'x' } },
  f = { 'comment-file', 'comment on the file' },
  g = { 'comment-pull-request', 'comment on the pull request' },
  s = { 'suggest', 'suggest a change of the lines', { 'n', 'x' } },
  a = { 'apply', 'apply the suggestion' },
  A = { 'apply-all', 'apply all suggestions of the file' },
  e = { 'edit', 'edit my comment' },
  D = { 'delete', 'delete my comment' },
  R = { 'resolve', 'resolve the thread' },
  N = { 'resolve-next', 'resolve the thread, and next' },
  O = { 'reopen', 'reopen the thread' },
  T = { 'task', 'add a task' },
  d = { 'task-done', 'complete the task' },
  u = { 'task-reopen', 'reopen the task' },
  ['<CR>'] = { 'send', 'send the draft' },
  ['<BS>'] = { 'discard', 'discard the draft' },
}

---@param bufnr integer
function M.map(bufnr)
  local prefix = type(vim.g.bitbucket_maps) == 'string' and vim.g.bitbucket_maps or '<Leader>b'
  for key, map in pairs(keys) do
    local options = { buffer = bufnr, desc = 'Bitbucket: ' .. map[2] }
    vim.keymap.set(map[3] or 'n', prefix .. key, ('<Plug>(bitbucket-%s)'):format(map[1]), options)
  end
end

return M
